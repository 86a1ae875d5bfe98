// SPDX-License-Identifier: GPL-2.0

//! The steps from what is in force to what a file says. They are taken all, or those that were taken
//! are taken back.

use std::fmt;

use super::present::Present;
use super::settings::SETTINGS;
use super::{
    same_identity,
    Config,
    Entry, //
};
use crate::error::Cause;
use crate::identity::Name;
use crate::pds::file::IdentityFile;
use crate::prefix::Prefix;

/// One change. Its text is read after "cannot" and stands alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Set {
        name: &'static str,
        from: String,
        to: String,
    },
    AddIdentity {
        name: Name,
        contents: IdentityFile,
    },
    DelIdentity {
        name: Name,
        /// As far as the kernel tells: not the private key.
        contents: IdentityFile,
        signs: bool,
    },
    AddPolicy(Prefix),
    DelPolicy(Prefix),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set { name, from, to } => write!(f, "set {name} from {from} to {to}"),
            Self::AddIdentity { name, .. } => write!(f, "add the identity {name}"),
            Self::DelIdentity { name, .. } => write!(f, "delete the identity {name}"),
            Self::AddPolicy(prefix) => write!(f, "add the policy {prefix}"),
            Self::DelPolicy(prefix) => write!(f, "delete the policy {prefix}"),
        }
    }
}

impl Step {
    /// The step back. There is none from the end of an identity whose private key only the kernel had.
    pub(crate) fn back(&self) -> Option<Self> {
        Some(match self.clone() {
            Self::Set { name, from, to } => Self::Set {
                name,
                from: to,
                to: from,
            },
            Self::AddIdentity { name, contents } => Self::DelIdentity {
                signs: contents.private_key.is_some(),
                name,
                contents,
            },
            Self::DelIdentity { signs: true, .. } => return None,
            Self::DelIdentity { name, contents, .. } => Self::AddIdentity { name, contents },
            Self::AddPolicy(prefix) => Self::DelPolicy(prefix),
            Self::DelPolicy(prefix) => Self::AddPolicy(prefix),
        })
    }
}

/// The steps to what a file says; or what there cannot be, in words. Those that cannot be taken back
/// come last, so that others fail before them.
pub(crate) fn plan(present: &Present, config: &Config) -> Result<Vec<Step>, Vec<String>> {
    let mut steps = Vec::new();
    let mut faults = Vec::new();
    if let Some(values) = &config.settings {
        for setting in SETTINGS {
            let wanted = values.get(setting.name).map(String::as_str);
            match present.settings.get(setting.name) {
                Some(from) if from != wanted.unwrap_or(setting.default) => steps.push(Step::Set {
                    name: setting.name,
                    from: from.clone(),
                    to: wanted.unwrap_or(setting.default).to_owned(),
                }),
                None if wanted.is_some() => faults.push(format!(
                    "this kernel's module has no setting {}",
                    setting.name
                )),
                _ => {}
            }
        }
    }
    if let Some(policy) = &config.policy {
        let new = policy.iter().filter(|it| !present.policy.contains(it));
        steps.extend(new.copied().map(Step::AddPolicy));
        let old = present.policy.iter().filter(|it| !policy.contains(it));
        steps.extend(old.copied().map(Step::DelPolicy));
    }
    if let Some(entries) = &config.identities {
        identities(present, entries, &mut steps, &mut faults);
    }
    // The first contexts are to find everything else in place.
    steps.sort_by_key(|step| match step {
        Step::Set {
            name: "establish", ..
        } => 1,
        _ => 0,
    });
    steps.sort_by_key(|step| step.back().is_none());
    settle(&mut steps);
    match faults.is_empty() {
        true => Ok(steps),
        false => Err(faults),
    }
}

fn identities(
    present: &Present,
    entries: &[Entry],
    steps: &mut Vec<Step>,
    faults: &mut Vec<String>,
) {
    let mut kept = Vec::new();
    for entry in entries {
        let name = entry.name.to_string();
        let old = present.identities.iter().find(|old| old.name == entry.name);
        let signs = entry.contents.private_key.is_some() || entry.key_in_kernel;
        let same = old.is_some_and(|old| {
            old.signs == signs && same_identity(&old.contents.pds, &entry.contents.pds)
        });
        if same {
            kept.push(name);
        } else if entry.key_in_kernel {
            faults.push(format!(
                "the kernel has no identity {name} of this PDS with a private key; \
                 give the file with the key instead of pds"
            ));
        }
    }
    let wanted = |name: &Name| kept.contains(&name.to_string());
    for old in present.identities.iter().filter(|old| !wanted(&old.name)) {
        steps.push(Step::DelIdentity {
            name: old.name.clone(),
            contents: old.contents.clone(),
            signs: old.signs,
        });
    }
    for entry in entries.iter().filter(|entry| !wanted(&entry.name)) {
        steps.push(Step::AddIdentity {
            name: entry.name.clone(),
            contents: entry.contents.clone(),
        });
    }
}

/// An identity that takes the place of another of its name comes right after that one's end.
fn settle(steps: &mut Vec<Step>) {
    let replaced: Vec<_> = steps
        .iter()
        .filter_map(|step| match step {
            Step::DelIdentity { name, .. } => Some(name.clone()),
            _ => None,
        })
        .collect();
    for name in replaced {
        let is_new =
            |step: &Step| matches!(step, Step::AddIdentity { name: new, .. } if *new == name);
        let Some(at) = steps.iter().position(is_new) else {
            continue;
        };
        let new = steps.remove(at);
        let is_end =
            |step: &Step| matches!(step, Step::DelIdentity { name: old, .. } if *old == name);
        let end = steps.iter().position(is_end).unwrap_or(steps.len());
        steps.insert(end.saturating_add(1), new);
    }
}

/// Why not all steps were taken.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) step: Step,
    pub(crate) cause: Cause,
    /// Steps that were taken back.
    pub(crate) undone: usize,
    /// Steps that could not be taken back, and why.
    pub(crate) stuck: Vec<(Step, Option<Cause>)>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            step,
            cause,
            undone,
            stuck,
        } = self;
        write!(f, "cannot {step}: {cause}; ")?;
        match (undone, stuck.len()) {
            (0, 0) => return write!(f, "nothing was changed"),
            (_, 0) => return write!(f, "what was done before ({undone} changes) was undone"),
            _ => write!(f, "{undone} changes were undone, and these were not:")?,
        }
        for (step, cause) in stuck {
            match cause {
                Some(cause) => write!(f, " {step} ({cause});")?,
                None => write!(
                    f,
                    " {step} (its private key was in the kernel only: add it again from its file);"
                )?,
            }
        }
        Ok(())
    }
}

/// Takes all steps. If one fails, those before it are taken back, the last one first.
pub(crate) fn carry_out(
    steps: &[Step],
    mut take: impl FnMut(&Step) -> Result<(), Cause>,
) -> Result<(), Box<Failure>> {
    for (index, step) in steps.iter().enumerate() {
        let Err(cause) = take(step) else {
            continue;
        };
        let mut failure = Box::new(Failure {
            step: step.clone(),
            cause,
            undone: 0,
            stuck: Vec::new(),
        });
        for taken in steps.iter().take(index).rev() {
            match taken.back().map(|back| take(&back)) {
                Some(Ok(())) => failure.undone = failure.undone.saturating_add(1),
                Some(Err(cause)) => failure.stuck.push((taken.clone(), Some(cause))),
                None => failure.stuck.push((taken.clone(), None)),
            }
        }
        return Err(failure);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::present::Old;
    use super::super::read::tests::contents;
    use super::super::settings::Values;
    use super::*;
    use crate::pds::key::tests::sample;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn old(text: &str, set: &str, signs: bool) -> Old {
        Old {
            name: name(text),
            contents: contents(set),
            signs,
        }
    }

    fn entry(text: &str, set: &str) -> Entry {
        Entry {
            name: name(text),
            contents: contents(set),
            key_in_kernel: false,
            assign: true,
        }
    }

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    /// What is in force in the tests.
    fn present() -> Present {
        Present {
            identities: vec![
                old("gone", "hostB", false),
                old("signs", "hostC", true),
                old("stays", "hostA", false),
                old("other", "hostB", false),
            ],
            policy: vec![prefix("2001:db8:1::/48"), prefix("2001:db8:2::/48")],
            settings: SETTINGS
                .iter()
                .map(|setting| (setting.name, setting.default.to_owned()))
                .chain([("send_timeout", "2000".to_owned())])
                .collect(),
        }
    }

    fn config() -> Config {
        Config {
            identities: Some(vec![
                entry("stays", "hostA"),
                entry("other", "hostA"),
                entry("new", "hostB"),
                entry("signs", "hostC"),
            ]),
            policy: Some(vec![prefix("2001:db8:2::/48"), prefix("2001:db8:3::/48")]),
            settings: Some(Values::from([
                ("establish", "auto".to_owned()),
                ("idle_timeout", "1000".to_owned()),
            ])),
        }
    }

    fn texts(steps: &[Step]) -> Vec<String> {
        steps.iter().map(Step::to_string).collect()
    }

    #[test]
    fn the_steps_in_their_order() {
        let steps = plan(&present(), &config()).unwrap();
        assert_eq!(
            texts(&steps),
            [
                "set idle_timeout from 300000 to 1000",
                "set send_timeout from 2000 to 15000",
                "add the policy 2001:db8:3::/48",
                "delete the policy 2001:db8:1::/48",
                "delete the identity gone",
                "delete the identity other",
                "add the identity other",
                "add the identity new",
                "set establish from on-request to auto",
                // No way back from here.
                "delete the identity signs",
                "add the identity signs",
            ]
        );
    }

    #[test]
    fn what_a_file_does_not_speak_of_stays() {
        assert_eq!(plan(&present(), &Config::default()), Ok(Vec::new()));
        let nothing = Config {
            identities: Some(Vec::new()),
            policy: Some(Vec::new()),
            settings: Some(Values::new()),
        };
        assert_eq!(plan(&present(), &nothing).unwrap().len(), 4 + 2 + 1);
    }

    #[test]
    fn what_is_in_force_needs_no_step() {
        let mut present = present();
        present.identities = vec![old("a", "hostA", false), old("c", "hostC", true)];
        // A set may be told of with another prefix first.
        if let Some(octet) = present.identities[0].contents.pds.get_mut(20) {
            *octet ^= 1;
        }
        let mut signing = entry("c", "hostC");
        signing.contents.private_key = Some(sample("rsa1024"));
        let mut config = Config {
            identities: Some(vec![entry("a", "hostA"), signing]),
            ..Config::default()
        };
        assert_eq!(plan(&present, &config), Ok(Vec::new()));
        let mut inline = entry("c", "hostC");
        inline.key_in_kernel = true;
        config.identities = Some(vec![entry("a", "hostA"), inline]);
        assert_eq!(plan(&present, &config), Ok(Vec::new()));
    }

    #[test]
    fn what_the_kernel_does_not_have_is_known_before_anything_is_done() {
        let mut present = present();
        present.settings.remove("idle_timeout");
        let mut config = config();
        if let Some(entries) = &mut config.identities {
            entries[0].key_in_kernel = true;
        }
        let faults = plan(&present, &config).unwrap_err();
        assert_eq!(
            faults[0],
            "this kernel's module has no setting idle_timeout"
        );
        assert!(faults[1].contains("no identity stays of this PDS with a private key"));
        // One that is left at its default is not missed.
        let mut values = present.settings.clone();
        values.clear();
        config.settings = Some(values);
        config.identities = None;
        plan(&present, &config).unwrap();
    }

    /// A namespace that refuses the step of a number.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Fake {
        identities: Vec<(String, Vec<u8>, bool)>,
        policy: Vec<Prefix>,
        settings: Values,
        refuses: Option<usize>,
        taken: usize,
    }

    impl Fake {
        fn new(refuses: Option<usize>) -> Self {
            let present = present();
            let mut fake = Self {
                identities: present
                    .identities
                    .into_iter()
                    .map(|old| (old.name.to_string(), old.contents.pds, old.signs))
                    .collect(),
                policy: present.policy,
                settings: present.settings,
                refuses,
                taken: 0,
            };
            fake.order();
            fake
        }

        fn order(&mut self) {
            self.identities.sort();
            self.policy.sort();
        }

        fn take(&mut self, step: &Step) -> Result<(), Cause> {
            self.taken += 1;
            if self.refuses == Some(self.taken - 1) {
                return Err(Cause::Input("refused".into()));
            }
            match step {
                Step::Set { name, from, to } => {
                    assert_eq!(self.settings.insert(name, to.clone()).as_ref(), Some(from));
                }
                Step::AddIdentity { name, contents } => {
                    let name = name.to_string();
                    assert!(!self.identities.iter().any(|(old, ..)| *old == name));
                    let signs = contents.private_key.is_some();
                    self.identities.push((name, contents.pds.clone(), signs));
                }
                Step::DelIdentity { name, .. } => {
                    let before = self.identities.len();
                    self.identities.retain(|(old, ..)| *old != name.to_string());
                    assert_eq!(self.identities.len(), before - 1);
                }
                Step::AddPolicy(prefix) => self.policy.push(*prefix),
                Step::DelPolicy(prefix) => self.policy.retain(|old| old != prefix),
            }
            self.order();
            Ok(())
        }
    }

    #[test]
    fn a_failure_anywhere_undoes_all() {
        let steps = plan(&present(), &config()).unwrap();
        let mut fake = Fake::new(None);
        carry_out(&steps, |step| fake.take(step)).unwrap();
        assert_eq!(fake.taken, steps.len());
        assert_eq!(fake.settings["establish"], "auto");
        assert_eq!(fake.policy, config().policy.unwrap());

        for refused in 0..steps.len() {
            let mut fake = Fake::new(Some(refused));
            let failure = carry_out(&steps, |step| fake.take(step)).unwrap_err();
            assert_eq!(failure.step, steps[refused]);
            let text = failure.to_string();
            assert!(text.contains(": refused; "), "{text}");
            let before = Fake::new(None);
            // Behind the end of the identity that signs there is one thing that cannot be undone.
            if steps[refused].to_string() == "add the identity signs" {
                assert_eq!(failure.stuck.len(), 1);
                assert!(text.contains("delete the identity signs (its private key"));
                let gone = |all: &Fake| {
                    let mut all = all.identities.clone();
                    all.retain(|(name, ..)| name != "signs");
                    all
                };
                assert_eq!(gone(&fake), gone(&before));
            } else {
                assert!(failure.stuck.is_empty());
                assert_eq!(fake.identities, before.identities);
            }
            assert_eq!(fake.settings, before.settings);
            assert_eq!(fake.policy, before.policy);
            assert_eq!(failure.undone + failure.stuck.len(), refused);
        }
    }

    #[test]
    fn what_cannot_be_undone_is_said() {
        let steps = plan(&present(), &config()).unwrap();
        let mut calls = 0;
        let failure = carry_out(&steps, |_| {
            calls += 1;
            // The third step, and the first step back.
            match calls {
                3 | 4 => Err(Cause::Input("no".into())),
                _ => Ok(()),
            }
        })
        .unwrap_err();
        assert_eq!((failure.undone, failure.stuck.len()), (1, 1));
        let text = failure.to_string();
        assert!(text.contains("1 changes were undone, and these were not:"));
        assert!(
            text.contains("set send_timeout from 2000 to 15000 (no);"),
            "{text}"
        );
    }
}
