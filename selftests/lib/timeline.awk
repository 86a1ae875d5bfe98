# SPDX-License-Identifier: GPL-2.0
#
# Draws a download: what programs/meter.c wrote is the first file, events are
# the second, "TIME WORDS..." or "TIME path HOST PAIR" in order of time. What
# happened is told after the line of the time in which it did.

BEGIN {
	WIDTH = 40
	# Lines of 250 ms, or of 500 ms where those would be too many.
	LINES = 50
}

function repeat(text, times, out)
{
	while (times-- > 0)
		out = out text
	return out
}

function row_of(time)
{
	return time < start ? 0 : int((time - start) / step)
}

$1 == "looks" {
	next
}

FNR == NR {
	time[++samples] = $1
	octets[samples] = $2
	first[samples] = $3
	second[samples] = $4
	next
}

$2 == "path" {
	paths++
	path_time[paths] = $1
	path_host[paths] = $3
	path_pair[paths] = $4
	next
}

{
	event_time[++events] = $1
	sub(/^[0-9.]+ /, "")
	event_words[events] = $0
}

END {
	start = time[1]
	step = time[samples] - start > LINES * 250 ? 500 : 250
	last = row_of(time[samples])
	for (i = 1; i <= samples; i++) {
		row = row_of(time[i])
		# What had come before the first look counts for neither.
		got[row] += octets[i] - (i > 1 ? octets[i - 1] : 0)
		by1[row] += i > 1 ? first[i] - first[i - 1] : 0
		by2[row] += i > 1 ? second[i] - second[i - 1] : 0
		if (got[row] > most)
			most = got[row]
	}
	printf "%9s %8s  %-*s  %-7s %s\n", "time", "Mbit/s", WIDTH,
		"arrived by provider 1 or 2", "B sends", "A sends"
	for (row = 0; row <= last; row++) {
		end = start + (row + 1) * step
		while (p < paths && path_time[p + 1] < end) {
			p++
			pair[path_host[p]] = path_pair[p]
		}
		n = most ? int(got[row] * WIDTH / most + 0.5) : 0
		all = by1[row] + by2[row]
		# Octets that were seen in the file a little after they arrived.
		if (all)
			share = by1[row] / all
		else if (row == 0)
			share = 1
		ones = int(n * share + 0.5)
		printf "%7.3f s %8.1f  %-*s  %-7s %s\n", row * step / 1000,
			got[row] * 8 / step / 1000, WIDTH,
			repeat("1", ones) repeat("2", n - ones), pair["B"], pair["A"]
		while (e < events && event_time[e + 1] < end) {
			e++
			printf "%7.3f s           -- %s\n",
				(event_time[e] - start) / 1000, event_words[e]
		}
	}
}
