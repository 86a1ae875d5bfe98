// SPDX-License-Identifier: GPL-2.0

//! What rules of nftables do to Shim6, as `nft --json list ruleset` shows them (libnftables-json(5)).
//! A look at single rules: it finds what people write about next header 140, default policies, and
//! reverse-path checks, and does not work out what a ruleset as a whole does.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Check,
    Finding,
    Level, //
};

const ADVICE: &str = "nft insert rule inet TABLE CHAIN ip6 nexthdr 140 accept";

/// A chain: family, table, name.
type Chain = (String, String, String);

fn chain_of(rule: &Value, name: &str) -> Chain {
    let text = |key: &str| rule[key].as_str().unwrap_or_default().to_owned();
    (text("family"), text("table"), text(name))
}

/// Whether an expression of a rule has a key anywhere, with what it holds fit.
fn contains(value: &Value, key: &str, fits: &dyn Fn(&Value) -> bool) -> bool {
    match value {
        Value::Object(object) => object
            .iter()
            .any(|(name, inner)| (name == key && fits(inner)) || contains(inner, key, fits)),
        Value::Array(array) => array.iter().any(|inner| contains(inner, key, fits)),
        _ => false,
    }
}

/// Whether a rule looks for packets of Shim6.
fn is_about_shim6(rule: &Value) -> bool {
    let number = |value: &Value| value == 140 || value == "shim6" || value == "140";
    let protocol = |left: &Value| {
        let is = |path, word| left.pointer(path).is_some_and(|it| it == word);
        is("/payload/field", "nexthdr") || is("/meta/key", "l4proto") || is("/meta", "l4proto")
    };
    contains(&rule["expr"], "match", &|it| {
        let right = &it["right"];
        let among = match right["set"].as_array() {
            Some(set) => set.iter().any(number),
            None => number(right),
        };
        protocol(&it["left"]) && it["op"] != "!=" && among
    })
}

/// Whether a rule looks whether the source would be reached by the interface that a packet came by.
fn is_reverse_path(rule: &Value) -> bool {
    let flag = |flags: &Value, word: &str| match flags {
        Value::Array(all) => all.iter().any(|it| it == word),
        one => one == word,
    };
    contains(&rule["expr"], "fib", &|it| {
        flag(&it["flags"], "saddr") && flag(&it["flags"], "iif")
    }) || contains(&rule["expr"], "xt", &|it| it["name"] == "rpfilter")
}

/// What the verdict of a rule is: drop and reject, or accept.
fn verdict(rule: &Value, words: &[&str]) -> bool {
    rule["expr"].as_array().is_some_and(|statements| {
        statements.iter().any(|statement| {
            statement
                .as_object()
                .is_some_and(|it| it.keys().any(|key| words.contains(&key.as_str())))
        })
    })
}

/// Looks at a ruleset.
pub(crate) fn look(ruleset: &Value) -> Vec<Finding> {
    let no_objects = Vec::new();
    let objects = ruleset["nftables"].as_array().unwrap_or(&no_objects);
    let of = |kind: &'static str| {
        objects
            .iter()
            .map(move |object| &object[kind])
            .filter(|it| it.is_object())
            .filter(|it| ["ip6", "inet"].iter().any(|family| it["family"] == *family))
    };
    let mut findings = Vec::new();
    let mut accepting = BTreeSet::new();
    for rule in of("rule") {
        let (_, table, chain) = chain_of(rule, "chain");
        if is_about_shim6(rule) && verdict(rule, &["accept"]) {
            accepting.insert(table.clone());
        }
        if is_about_shim6(rule) && verdict(rule, &["drop", "reject"]) {
            let text = format!("a rule of table {table}, chain {chain}, drops packets of Shim6");
            findings.push(
                Finding::new(Check::Firewall, Level::Error, text).advise(format!(
                    "nft --handle list chain inet {table} {chain}, and delete it"
                )),
            );
        }
        if is_reverse_path(rule) && verdict(rule, &["drop", "reject"]) {
            let text = format!(
                "a rule of table {table}, chain {chain}, checks the reverse path: packets of peers \
                 that came by another provider have their ULID as source then, and are dropped"
            );
            findings.push(
                Finding::new(Check::Firewall, Level::Warning, text)
                    .advise("exempt the ULIDs of peers: ip6 saddr PREFIX accept before that rule"),
            );
        }
    }
    for chain in of("chain") {
        let (_, table, name) = chain_of(chain, "name");
        let hook = chain["hook"].as_str().unwrap_or_default();
        let concerned = ["input", "output"].contains(&hook);
        if concerned && chain["policy"] == "drop" && !accepting.contains(&table) {
            let text = format!(
                "chain {name} of table {table} drops what no rule accepts in {hook}, and none \
                 accepts next header 140: peers cannot establish contexts with this host"
            );
            findings.push(
                Finding::new(Check::Firewall, Level::Error, text)
                    .advise(ADVICE.replace("TABLE", &table).replace("CHAIN", &name)),
            );
        }
    }
    if findings.is_empty() {
        findings.push(Finding::new(
            Check::Firewall,
            Level::Ok,
            "no rule of nftables is in the way",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A ruleset with one base chain, as `nft --json` shows it.
    fn ruleset(hook: &str, policy: &str, expressions: &[Value]) -> Value {
        let mut objects = vec![
            json!({"metainfo": {"json_schema_version": 1}}),
            json!({"table": {"family": "inet", "name": "host"}}),
            json!({"chain": {"family": "inet", "table": "host", "name": "c", "type": "filter",
                "hook": hook, "prio": 0, "policy": policy}}),
        ];
        for expr in expressions {
            objects.push(
                json!({"rule": {"family": "inet", "table": "host", "chain": "c",
                "expr": expr}}),
            );
        }
        json!({"nftables": objects})
    }

    fn shim6(verdict: &str) -> Value {
        json!([
            {"match": {"op": "==", "left": {"payload": {"protocol": "ip6", "field": "nexthdr"}},
                "right": 140}},
            {"counter": {"packets": 0, "bytes": 0}},
            {verdict: null}
        ])
    }

    fn found(ruleset: &Value) -> Vec<(Level, String)> {
        let findings = look(ruleset);
        findings.into_iter().map(|it| (it.level, it.text)).collect()
    }

    #[test]
    fn nothing_in_the_way() {
        for ruleset in [
            json!({"nftables": []}),
            json!({}),
            ruleset("input", "accept", &[]),
            ruleset("forward", "drop", &[]),
            ruleset("input", "drop", &[shim6("accept")]),
        ] {
            assert_eq!(found(&ruleset)[0].0, Level::Ok, "{ruleset}");
        }
        // Rules of other families do not concern IPv6.
        let mut other = ruleset("input", "drop", &[]);
        other["nftables"][2]["chain"]["family"] = "ip".into();
        assert_eq!(found(&other)[0].0, Level::Ok);
    }

    #[test]
    fn rules_that_drop() {
        let mut by_name = shim6("drop");
        by_name[0]["match"]["left"] = json!({"meta": {"key": "l4proto"}});
        by_name[0]["match"]["right"] = json!({"set": ["tcp", "shim6"]});
        for rule in [shim6("drop"), shim6("reject"), by_name] {
            let found = found(&ruleset("input", "accept", &[rule]));
            assert_eq!(found[0].0, Level::Error);
            assert!(found[0].1.contains("table host, chain c, drops"));
        }
        let mut all_but = shim6("drop");
        all_but[0]["match"]["op"] = "!=".into();
        let mut other = shim6("drop");
        other[0]["match"]["right"] = 17.into();
        for rule in [all_but, other] {
            assert_eq!(found(&ruleset("input", "accept", &[rule]))[0].0, Level::Ok);
        }
    }

    #[test]
    fn policies_that_drop() {
        for hook in ["input", "output"] {
            let found = look(&ruleset(hook, "drop", &[]));
            assert_eq!(found[0].level, Level::Error);
            let advice = found[0].advice.as_deref();
            assert_eq!(
                advice,
                Some("nft insert rule inet host c ip6 nexthdr 140 accept")
            );
        }
    }

    #[test]
    fn checks_of_the_reverse_path() {
        let fib = json!([
            {"match": {"op": "==", "left": {"fib": {"result": "oif", "flags": ["saddr", "iif"]}},
                "right": false}},
            {"drop": null}
        ]);
        let xt = json!([{"xt": {"type": "match", "name": "rpfilter"}}, {"drop": null}]);
        for rule in [fib, xt] {
            let found = found(&ruleset("prerouting", "accept", &[rule]));
            assert_eq!(found[0].0, Level::Warning);
            assert!(found[0].1.contains("reverse path"));
        }
        let local = json!([
            {"match": {"op": "!=", "left": {"fib": {"result": "type", "flags": "daddr"}},
                "right": "local"}},
            {"drop": null}
        ]);
        assert_eq!(found(&ruleset("input", "accept", &[local]))[0].0, Level::Ok);
    }
}
