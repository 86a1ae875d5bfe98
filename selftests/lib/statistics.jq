# SPDX-License-Identifier: GPL-2.0
#
# What benchmarks make of their samples: jq -L selftests/lib 'include "statistics"; ...'

# Of numbers.
def median: sort | if length % 2 == 1 then .[length / 2 | floor]
	else (.[length / 2 - 1] + .[length / 2]) / 2 end;

def side: {samples: ., median: median, min: min, max: max};

# How many of so many samples are left out at each end, for the median of what they come from to be
# between the others with a probability of 0.95 (binomial distribution); null if they are too few.
def left_out: . as $n | reduce range($n) as $i ({p: pow(0.5; $n), sum: 0, rank: null};
	.sum += .p | if .sum <= 0.025 then .rank = $i else . end | .p *= ($n - $i) / ($i + 1)) | .rank;

# Their median, and where that of all could be.
def estimate: sort | (length | left_out) as $out | {
	measured: median, from: (if $out then .[$out] else null end), to: (if $out then .[-1 - $out] else null end)
};

# What a target says of that: true or false, null where both could be. Of samples that are too few for
# bounds, only their median is judged.
def verdict(holds): if .from == null then .measured | holds
	elif (.from | holds) == (.to | holds) then .measured | holds else null end;
