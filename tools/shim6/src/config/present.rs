// SPDX-License-Identifier: GPL-2.0

//! What is in force in this network namespace, and how it is written in the form of the file.

use std::io::{
    self,
    Write, //
};
use std::path::Path;

use serde::Serialize;

use super::settings::{
    self,
    Values,
    SETTINGS, //
};
use crate::abi::cmd;
use crate::client::Client;
use crate::error::Cause;
use crate::identity::{
    LocalIdentity,
    Name, //
};
use crate::pds::file::IdentityFile;
use crate::policy::Policy;
use crate::prefix::Prefix;

/// An identity that the kernel has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Old {
    pub(crate) name: Name,
    /// Without the private key, which the kernel does not give back.
    pub(crate) contents: IdentityFile,
    pub(crate) signs: bool,
}

/// What is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Present {
    pub(crate) identities: Vec<Old>,
    pub(crate) policy: Vec<Prefix>,
    pub(crate) settings: Values,
}

impl Present {
    /// Asks the kernel.
    pub(crate) fn read(client: &mut Client) -> Result<Self, Cause> {
        let identities = client
            .all(
                cmd::IDENTITY_GET,
                LocalIdentity::from_attributes,
                |identity| identity.name.clone(),
            )?
            .objects
            .into_iter()
            .map(Old::new)
            .collect::<Result<_, _>>()?;
        let policy = client
            .all(cmd::POLICY_GET, Policy::from_attributes, |policy| *policy)?
            .objects
            .into_iter()
            .map(|policy| policy.prefix)
            .collect();
        Ok(Self {
            identities,
            policy,
            settings: settings::in_force(Path::new(settings::DIRECTORY))?,
        })
    }

    /// Writes the file that would make it so. Settings at their defaults are comments.
    pub(crate) fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.identities.is_empty() {
            writeln!(out, "identity = []\n")?;
        }
        writeln!(out, "[policy]")?;
        let prefixes: Vec<_> = self.policy.iter().map(|it| format!("\"{it}\"")).collect();
        writeln!(out, "prefixes = [{}]", prefixes.join(", "))?;
        writeln!(out, "\n[settings]")?;
        for setting in SETTINGS {
            if let Some(value) = self.settings.get(setting.name) {
                let mark = if value == setting.default { "# " } else { "" };
                writeln!(out, "{mark}{}", setting.line(value))?;
            }
        }
        for old in &self.identities {
            writeln!(out, "\n[[identity]]")?;
            writeln!(out, "name = {}", quoted(&old.name.to_string()))?;
            writeln!(out, "pds = \"{}\"", hex::encode(&old.contents.pds))?;
            if old.signs {
                writeln!(out, "key_in_kernel = true")?;
            }
            // Who gave addresses to interfaces is not known here.
            writeln!(out, "assign = false")?;
        }
        Ok(())
    }

    /// Writes an object with the same contents.
    pub(crate) fn json(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        struct Identity {
            name: String,
            pds: String,
            key_in_kernel: bool,
        }

        #[derive(Serialize)]
        struct Shown<'a> {
            identity: Vec<Identity>,
            policy: &'a [Prefix],
            settings: &'a Values,
        }

        Shown {
            identity: self
                .identities
                .iter()
                .map(|old| Identity {
                    name: old.name.to_string(),
                    pds: hex::encode(&old.contents.pds),
                    key_in_kernel: old.signs,
                })
                .collect(),
            policy: &self.policy,
            settings: &self.settings,
        }
    }
}

impl Old {
    fn new(identity: LocalIdentity) -> Result<Self, Cause> {
        let pds = hex::decode(&identity.description.pds)
            .map_err(|error| Cause::Answer(error.to_string()))?;
        Ok(Self {
            name: identity.name.parse().map_err(Cause::Answer)?,
            contents: IdentityFile {
                pds,
                private_key: None,
            },
            signs: identity.signs,
        })
    }
}

/// A string as TOML writes it. Names have neither spaces nor anything that cannot be seen.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::super::plan::plan;
    use super::super::read::read;
    use super::super::read::tests::contents;
    use super::*;

    fn present() -> Present {
        Present {
            identities: vec![
                Old {
                    name: "a\"\\b".parse().unwrap(),
                    contents: contents("hostA"),
                    signs: false,
                },
                Old {
                    name: "c".parse().unwrap(),
                    contents: contents("hostC"),
                    signs: true,
                },
            ],
            policy: vec!["2001:db8::/32".parse().unwrap(), "::/0".parse().unwrap()],
            settings: SETTINGS
                .iter()
                .map(|setting| (setting.name, setting.default.to_owned()))
                .chain([
                    ("send_timeout", "2000".to_owned()),
                    ("establish", "off".to_owned()),
                ])
                .collect(),
        }
    }

    fn text(present: &Present) -> String {
        let mut out = Vec::new();
        present.text(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_shown_is_a_file_that_changes_nothing() {
        for present in [present(), Present::default()] {
            let config = read(&text(&present), Path::new("/nowhere")).unwrap();
            assert_eq!(plan(&present, &config), Ok(Vec::new()));
        }
    }

    #[test]
    fn it_speaks_of_everything() {
        let mut everything = present();
        let shown = text(&everything);
        assert!(shown.contains("\nsend_timeout = 2000\n"));
        assert!(shown.contains("\nestablish = \"off\"\n"));
        assert!(shown.contains("\n# idle_timeout = 300000\n"));
        // Applied where something else is in force it changes all of that, identities but the one
        // whose key is nowhere else too.
        everything.identities.remove(1);
        everything.identities.truncate(1);
        let config = read(&text(&everything), Path::new("/nowhere")).unwrap();
        let mut other = Present {
            policy: vec!["2001:db8:9::/48".parse().unwrap()],
            ..Present::default()
        };
        other.settings = everything.settings.clone();
        other.settings.insert("idle_timeout", "1000".into());
        other.settings.insert("establish", "auto".into());
        let steps = plan(&other, &config).unwrap();
        // Three prefixes, two settings, one identity.
        assert_eq!(steps.len(), 3 + 2 + 1, "{steps:?}");
    }

    #[test]
    fn no_identities_are_shown_as_none() {
        let nobody = Present {
            identities: Vec::new(),
            ..present()
        };
        let config = read(&text(&nobody), Path::new("/nowhere")).unwrap();
        assert_eq!(config.identities, Some(Vec::new()));
    }

    #[test]
    fn for_programs() {
        let shown = serde_json::to_value(present().json()).unwrap();
        assert_eq!(shown["identity"][1]["name"], "c");
        assert_eq!(shown["identity"][1]["key_in_kernel"], true);
        assert_eq!(shown["policy"][0], "2001:db8::/32");
        assert_eq!(shown["settings"]["send_timeout"], "2000");
    }
}
