// SPDX-License-Identifier: GPL-2.0

//! The names in `/proc/net/shim6_stat`, in its order, and what they count. A test compares them with
//! the module.

/// Names and what they count.
#[rustfmt::skip]
pub(crate) const NAMES: &[(&str, &str)] = &[
    ("Contexts", "Contexts there are now."),
    ("Forks", "Forks among them that this host asked for, there are now."),
    ("OutUlids", "Packets sent through a context whose locators are its ULIDs: left as they were."),
    ("OutTranslated", "Packets sent with a payload extension header."),
    ("OutWhole", "Super-packets among them that were left whole for the device."),
    ("OutSoftwareGso", "Super-packets among them to be segmented in software."),
    ("OutResegmented", "TCP packets that were cut anew because the path takes less."),
    ("OutFragmented", "Packets that were fragmented above the shim because the path takes less."),
    ("OutFragmentedBelow", "Packets for a path of 1280 octets, which are fragmented below the shim."),
    ("OutXfrmPending", "Packets that IPsec has yet to transform."),
    ("OutNoRoute", "Dropped: no route from locator to locator."),
    ("OutTooBig", "Dropped: too big for the path, and the sender forbids fragments."),
    ("OutNoMemory", "Dropped: no memory."),
    ("OutBadHeaders", "Dropped: the chain of extension headers is malformed or too long."),
    ("OutConntrackRefused", "Dropped: conntrack refused the flow."),
    ("InTranslated", "Payload packets received and translated to ULIDs."),
    ("InTranslatedLate", "Payload packets translated behind an outer Fragment or Destination Options header."),
    ("InUlids", "Packets received between the ULIDs of a context, without a header."),
    ("InGroMerged", "Super-packets that generic receive offload made of received packets."),
    ("InUnknownTag", "Dropped: payload with a context tag nobody here gave out."),
    ("InEarly", "Dropped: payload with the tag of a context that has no peer yet."),
    ("InForwarded", "Payload packets left alone: they are not for this host."),
    ("InNoMemory", "Dropped: no memory."),
    ("InBadHeaders", "Dropped: the chain of extension headers is malformed or too long."),
    ("InControl", "Control messages received, good or bad."),
    ("InControlIgnored", "Control messages that nobody here wants: for static contexts, for ULIDs of other hosts."),
    ("ControlQueueFull", "Control messages that found no place in the queue."),
    ("InI1", "I1 messages received."),
    ("InR1", "R1 messages received."),
    ("InI2", "I2 messages received."),
    ("InR2", "R2 messages received."),
    ("InR1bis", "R1bis messages received."),
    ("InI2bis", "I2bis messages received."),
    ("InUpdateRequest", "Update Requests received."),
    ("InUpdateAcknowledgement", "Update Acknowledgements received."),
    ("InKeepalive", "Keepalives received."),
    ("InProbe", "Probes received."),
    ("InError", "Error messages received."),
    ("InBadValidator", "Dropped: I2 and I2bis whose Responder Nonce or Validator is not ours, or too old."),
    ("InForeignLocators", "Control messages whose tag is right, between locators that are not those of the context."),
    ("InRefused", "Control messages refused with an Error message."),
    ("OutI1", "I1 messages sent."),
    ("OutR1", "R1 messages sent."),
    ("OutI2", "I2 messages sent."),
    ("OutR2", "R2 messages sent."),
    ("OutR1bis", "R1bis messages sent."),
    ("OutI2bis", "I2bis messages sent."),
    ("OutUpdateRequest", "Update Requests sent."),
    ("OutUpdateAcknowledgement", "Update Acknowledgements sent."),
    ("OutError", "Error messages sent."),
    ("OutKeepalive", "Keepalives sent."),
    ("OutProbe", "Probes sent."),
    ("OutRetransmitted", "Messages sent again for want of an answer."),
    ("OutShortened", "Control messages that left out preferences or locators, to be no longer than 1280 octets."),
    ("OutControlFailed", "Control messages that could not be sent: no route, a firewall, no memory."),
    ("AnswerLimitedPeer", "Answers not sent because of net.shim6.answer_rate_peer."),
    ("AnswerLimitedHost", "Answers not sent because of net.shim6.r1_rate or net.shim6.answer_rate."),
    ("RequestQueueFull", "Requests for contexts that found no place in the queue."),
    ("InIcmpTranslated", "ICMPv6 errors translated to ULIDs."),
    ("InIcmpBad", "ICMPv6 errors about our packets that could not be translated: malformed or a bad checksum."),
    ("ContextAdded", "Contexts made."),
    ("ContextDeleted", "Contexts removed."),
    ("ContextEstablished", "Contexts established with a peer."),
    ("ContextRecovered", "Contexts established again after the peer had lost its own."),
    ("EstablishmentFailed", "Contexts whose peer did not answer, or does not know Shim6."),
    ("ContextConfused", "Contexts that the peer lost, as another one with the same tag showed."),
    ("ContextIdle", "Contexts forgotten because nobody used them."),
    ("ContextNoTag", "Contexts not made because no free tag was found."),
    ("ContextTableFull", "Contexts refused because net.shim6.max_contexts was reached."),
    ("PairSwitched", "Changes of a current locator pair."),
    ("Explored", "Explorations begun (RFC 5534, Section 4.3)."),
    ("TcpTimeout", "Timeouts of TCP connections that spoke against the current pair."),
    ("SwitchedProbed", "Changes to a pair over which the peer reported a Probe."),
    ("SwitchedStandby", "Changes to a pair that stood by."),
    ("SwitchedBack", "Changes back to a better pair."),
    ("Resumed", "Times that connections were told to send again at once."),
    ("ProbeRounds", "Times that all pairs had been probed without an answer."),
    ("ProbeNoPair", "Probes that were not sent because this host has no locator to send from."),
    ("ProbeNotAnswered", "Probes of peers that were not answered because there were too many."),
    ("ProbeUnbelieved", "Probes of peers that reported probes which were not sent."),
    ("ForkStarted", "Forks of contexts that this host asked its peers for."),
    ("ForkEstablished", "Forks of this host that were established."),
    ("ForkFailed", "Forks of this host that peers did not answer."),
    ("ForkDeleted", "Forks of this host deleted, because their sockets are gone."),
    ("ForkSettingFailed", "Settings of sockets that did not fit their forks when these were established."),
    ("ForkMoved", "Settings of a socket that went from a context to a fork, because another socket came."),
    ("ForkTableFull", "Sockets that got no fork because of net.shim6.max_forks."),
    ("ForkUserLimited", "Sockets that got no fork because of net.shim6.max_forks_user."),
    ("ForkPeerLimited", "Forks of peers refused because of net.shim6.max_forks_peer."),
    ("OutForked", "Packets sent through forks."),
    ("InForked", "Payload packets received by forks."),
    ("FlowForgotten", "Conversations forgotten that came in by forks of peers, for want of a place."),
    ("LastResortFailed", "Routes of last resort that could not be installed."),
    ("Drop_truncated", "The header does not fit in the packet (RFC 5533, Section 12.3)."),
    ("Drop_address", "Source or destination is multicast or unspecified (RFC 5533, Section 12.3)."),
    ("Drop_not_control", "P is one where a control message was expected (RFC 5533, Section 5.1)."),
    ("Drop_not_shim6", "S is one: this is HIP, not Shim6 (RFC 5533, Section 5.3)."),
    ("Drop_checksum", "The checksum is wrong (RFC 5533, Section 5.3)."),
    ("Drop_unknown_type", "The message type is unknown. Error code 0 (RFC 5533, Section 12.3)."),
    ("Drop_too_short", "Hdr Ext Len is below the minimum of the message type (RFC 5533, Section 7.9 ff.)."),
    ("Drop_probe_records", "The records of a Probe do not fit in its header (RFC 5534, Section 5.2)."),
    ("Drop_probe_without_sent", "A Probe without the record that describes itself (RFC 5534, Section 5.2)."),
    ("Drop_probe_state", "A Probe whose Sta field has the value 3 (RFC 5534, Section 5.2)."),
    ("Drop_option_overrun", "An option goes beyond the header (RFC 5533, Section 5.15)."),
    ("Drop_option_malformed", "The Length of an option, or a count inside it, is wrong (RFC 5533, Section 5.15)."),
    ("Drop_option_duplicate", "The same option twice."),
    ("Drop_option_critical", "An option with C = 1 that is unknown or not for this message. Error code 1 (RFC 5533, Sections 5.15 and 12.3)."),
    ("Drop_validator_missing", "R1, I2 or I2bis without a Responder Validator (RFC 5533, Sections 5.5, 5.6 and 5.9)."),
    ("Drop_payload_length", "A payload extension header whose Hdr Ext Len is not 0."),
    ("Drop_payload_nested", "A Shim6 header behind a payload extension header, directly or not."),
    ("Discard_state", "The state of the context does not ask for it."),
    ("Discard_nonce", "It does not have the nonce of the message that it seems to answer."),
    ("Discard_tag", "It does not have the tag of the context."),
    ("Discard_addresses", "It did not come between locators of the context."),
    ("Discard_source", "Its source is neither in Ls(peer) nor in its own list."),
    ("Discard_preferences", "Its preferences do not fit the list. Error code 3 or 4."),
    ("Discard_verification", "What it says about its sender could not be verified; why is a matter of verify."),
    ("Refuse_malformed_parameters", "The PDS is malformed."),
    ("Refuse_foreign_parameters", "The PDS is not the one of the ULID."),
    ("Refuse_too_many", "The list has more than MAX_LOCATORS locators."),
    ("Refuse_unusable", "A locator is multicast, unspecified, loopback, link-local or IPv4-mapped."),
    ("Refuse_repeated", "A locator comes twice."),
    ("Refuse_unknown_method", "A verification method is neither HBA nor CGA."),
    ("Refuse_no_parameters", "There is no PDS to verify the list with."),
    ("Refuse_no_set", "A locator is to be verified by HBA, and the PDS is of no set."),
    ("Refuse_no_key", "A locator is to be verified by CGA, and the PDS has no RSA key that may be used for it: none at all, another algorithm, a size out of bounds."),
    ("Refuse_no_signature", "A locator is to be verified by CGA, and there is no signature."),
    ("Refuse_not_in_set", "A locator is not in the set that the PDS is about."),
    ("Refuse_wrong_signature", "The signature is wrong."),
    ("Refuse_unavailable", "The signature could not be verified for reasons that are not the peer's."),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The items of an enumeration of the module: names, and documentation as plain text.
    fn items(source: &str, start: &str) -> Vec<(String, String)> {
        let (_, body) = source.split_once(start).unwrap();
        let mut items = Vec::new();
        let mut text = Vec::new();
        for line in body.lines().skip(1).map(str::trim) {
            match line.strip_prefix("///") {
                Some(line) => text.push(line.trim().to_owned()),
                None if line == "}" => break,
                None => {
                    let name = line.split('"').nth(1).unwrap_or(line.trim_end_matches(','));
                    items.push((name.to_owned(), plain(&text.join(" "))));
                    text.clear();
                }
            }
        }
        items
    }

    /// Without the marks of rustdoc.
    fn plain(text: &str) -> String {
        let mut text = text.replace("`]", "");
        // The target of a link.
        while let Some((before, rest)) = text.split_once("(super::") {
            let (_, behind) = rest.split_once(')').unwrap();
            text = format!("{before}{behind}");
        }
        text.replace("[`", "").replace('`', "")
    }

    macro_rules! module {
        ($file:literal) => {
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rust/", $file))
        };
    }

    #[test]
    fn they_are_those_of_the_module() {
        let mut theirs = items(module!("context/counters.rs"), "\ncounters! {");
        for (source, start, prefix) in [
            (module!("proto/wire/fault.rs"), "pub enum Reason {", "Drop_"),
            (
                module!("proto/establish/action.rs"),
                "pub enum Cause {",
                "Discard_",
            ),
            (module!("proto/verify.rs"), "pub enum Refusal {", "Refuse_"),
        ] {
            let items = items(source, start).into_iter();
            theirs.extend(items.map(|(name, text)| (format!("{prefix}{name}"), text)));
        }
        let ours: Vec<_> = NAMES
            .iter()
            .skip(2)
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        assert_eq!(ours, theirs);
        // The tracepoint of drops has room for that (SHIM6_TRACE_REASON).
        assert!(ours.iter().all(|(name, _)| name.len() < 32));
        assert!(module!("context/counters.rs").contains("\"Contexts\", namespace.contexts.len()"));
        assert!(module!("context/counters.rs").contains("\"Forks\", namespace.contexts.forks()"));
    }
}
