// SPDX-License-Identifier: GPL-2.0

//! Reads the file. All faults are found at once, each with its place; what a word may be, and which
//! words there are, is part of the fault.

use std::fmt;
use std::ops::Range as Span;
use std::path::Path;

use serde::Serialize;
use toml::de::{
    DeTable,
    DeValue, //
};
use toml::Spanned;

use super::settings::{
    self,
    Range,
    Values,
    SETTINGS, //
};
use super::{
    Config,
    Entry, //
};
use crate::identity::Name;
use crate::pds::file::{
    is_exposed,
    IdentityFile, //
};
use crate::prefix::Prefix;

/// Something that is wrong with a file. The fields are the schema of `--json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Fault {
    /// Line, counted from 1.
    pub(crate) line: usize,
    /// Column, in characters from 1.
    pub(crate) column: usize,
    pub(crate) message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            column,
            message,
        } = self;
        write!(f, "{line}:{column}: {message}")
    }
}

/// Reads the text of a file. Files of identities are looked for in `directory`.
pub(crate) fn read(text: &str, directory: &Path) -> Result<Config, Vec<Fault>> {
    let mut reader = Reader {
        directory,
        faults: Vec::new(),
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or_default();
        reader.fault(span, error.message().trim().replace('\n', "; "));
    }
    // Of a text that is no TOML one does not know what it would be.
    let config = match reader.faults.is_empty() {
        true => reader.file(table.get_ref()),
        false => Config::default(),
    };
    if reader.faults.is_empty() {
        return Ok(config);
    }
    reader.faults.sort_by_key(|(span, _)| span.start);
    Err(reader
        .faults
        .into_iter()
        .map(|(span, message)| place(text, span.start, message))
        .collect())
}

/// A fault with line and column of a place in the text.
fn place(text: &str, offset: usize, message: String) -> Fault {
    let before = text.get(..offset).unwrap_or(text);
    let (lines, line) = match before.rsplit_once('\n') {
        Some((lines, line)) => (lines.matches('\n').count().saturating_add(1), line),
        None => (0, before),
    };
    Fault {
        line: lines.saturating_add(1),
        column: line.chars().count().saturating_add(1),
        message,
    }
}

/// Words in a sentence.
fn any_of(words: impl IntoIterator<Item = &'static str>) -> String {
    words.into_iter().collect::<Vec<_>>().join(", ")
}

struct Reader<'a> {
    directory: &'a Path,
    faults: Vec<(Span<usize>, String)>,
}

type Value<'a> = Spanned<DeValue<'a>>;

impl Reader<'_> {
    fn fault(&mut self, span: Span<usize>, message: impl Into<String>) {
        self.faults.push((span, message.into()));
    }

    /// A value that is to be something else.
    fn unfit<T>(&mut self, value: &Value<'_>, expected: &str) -> Option<T> {
        let found = match value.get_ref() {
            DeValue::String(text) => format!("\"{text}\""),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Boolean(yes) => yes.to_string(),
            other => format!("this {}", other.type_str()),
        };
        self.fault(value.span(), format!("{expected} is expected, not {found}"));
        None
    }

    /// A key that there is not.
    fn unknown(&mut self, span: Span<usize>, key: &str, place: &str, known: String) {
        self.fault(
            span,
            format!("there is no \"{key}\" {place}; there are: {known}"),
        );
    }

    fn table<'v, 'i>(&mut self, value: &'v Value<'i>, what: &str) -> Option<&'v DeTable<'i>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => self.unfit(value, what),
        }
    }

    fn array<'v, 'i>(&mut self, value: &'v Value<'i>, what: &str) -> &'v [Value<'i>] {
        match value.get_ref() {
            DeValue::Array(array) => array,
            _ => self.unfit(value, what).unwrap_or_default(),
        }
    }

    fn string<'v>(&mut self, value: &'v Value<'_>, what: &str) -> Option<&'v str> {
        match value.get_ref() {
            DeValue::String(text) => Some(text),
            _ => self.unfit(value, what),
        }
    }

    fn boolean(&mut self, value: &Value<'_>) -> Option<bool> {
        match value.get_ref() {
            DeValue::Boolean(yes) => Some(*yes),
            _ => self.unfit(value, "true or false"),
        }
    }

    fn file(&mut self, table: &DeTable<'_>) -> Config {
        let mut config = Config::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "identity" => config.identities = Some(self.identities(value)),
                "policy" => config.policy = self.policy(value),
                "settings" => config.settings = self.settings(value),
                other => self.unknown(
                    key.span(),
                    other,
                    "in the file",
                    "[[identity]], [policy], [settings]".into(),
                ),
            }
        }
        config
    }

    fn policy(&mut self, value: &Value<'_>) -> Option<Vec<Prefix>> {
        let table = self.table(value, "a table [policy]")?;
        let mut prefixes = None;
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "prefixes" => prefixes = Some(self.prefixes(value)),
                other => self.unknown(key.span(), other, "in [policy]", "prefixes".into()),
            }
        }
        if prefixes.is_none() {
            self.fault(value.span(), "[policy] lacks prefixes");
        }
        prefixes
    }

    fn prefixes(&mut self, value: &Value<'_>) -> Vec<Prefix> {
        let mut prefixes = Vec::new();
        for value in self.array(value, "an array of prefixes") {
            let Some(text) = self.string(value, "a prefix as \"2001:db8::/32\"") else {
                continue;
            };
            match text.parse() {
                Ok(prefix) if prefixes.contains(&prefix) => {
                    self.fault(value.span(), format!("{prefix} is there twice"));
                }
                Ok(prefix) => prefixes.push(prefix),
                Err(why) => self.fault(value.span(), why),
            }
        }
        prefixes
    }

    fn settings(&mut self, value: &Value<'_>) -> Option<Values> {
        let table = self.table(value, "a table [settings]")?;
        let mut values = Values::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let Some(setting) = settings::find(name) else {
                let known = any_of(SETTINGS.iter().map(|setting| setting.name));
                self.unknown(key.span(), name, "in [settings]", known);
                continue;
            };
            let fits = match (setting.range, value.get_ref()) {
                (Range::Number(least, most, _), DeValue::Integer(number)) => {
                    i64::from_str_radix(number.as_str(), number.radix())
                        .ok()
                        .and_then(|number| u32::try_from(number).ok())
                        .filter(|number| (least..=most).contains(number))
                        .map(|number| number.to_string())
                }
                (Range::Words(words), DeValue::String(word)) => words
                    .contains(&word.as_ref())
                    .then(|| word.clone().into_owned()),
                _ => None,
            };
            match fits {
                Some(value) => {
                    values.insert(setting.name, value);
                }
                None => {
                    let expected = format!("for {name} {}", setting.range);
                    let _: Option<()> = self.unfit(value, &expected);
                }
            }
        }
        Some(values)
    }

    fn identities(&mut self, value: &Value<'_>) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for value in self.array(value, "a table [[identity]]") {
            let Some(table) = self.table(value, "a table [[identity]]") else {
                continue;
            };
            let Some((span, entry)) = self.identity(value.span(), table) else {
                continue;
            };
            match entries.iter().any(|other| other.name == entry.name) {
                true => self.fault(span, format!("a second identity \"{}\"", entry.name)),
                false => entries.push(entry),
            }
        }
        entries
    }

    fn identity(&mut self, span: Span<usize>, table: &DeTable<'_>) -> Option<(Span<usize>, Entry)> {
        const KNOWN: &str = "name, file, pds, key_in_kernel, assign";
        let mut name = None;
        let mut name_span = span.clone();
        let mut file = None;
        let mut pds = None;
        let mut key_in_kernel = None;
        let mut assign = true;
        let before = self.faults.len();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "name" => {
                    name_span = value.span();
                    name =
                        self.string(value, "a name")
                            .and_then(|text| match text.parse::<Name>() {
                                Ok(name) => Some(name),
                                Err(why) => {
                                    self.fault(value.span(), why);
                                    None
                                }
                            });
                }
                "file" => {
                    file = self
                        .string(value, "the name of a file")
                        .map(|text| (value.span(), text));
                }
                "pds" => {
                    pds = self
                        .string(value, "hexadecimal digits")
                        .map(|text| (value.span(), text));
                }
                "key_in_kernel" => {
                    key_in_kernel = self.boolean(value).map(|yes| (key.span(), yes));
                }
                "assign" => assign = self.boolean(value)?,
                other => self.unknown(key.span(), other, "in [[identity]]", KNOWN.into()),
            }
        }
        // What is wrong already was said.
        if self.faults.len() > before {
            return None;
        }
        let contents = match (file.clone(), pds) {
            (Some((span, file)), None) => match IdentityFile::read(&self.directory.join(file)) {
                Ok(contents) => {
                    if contents.private_key.is_some() && is_exposed(&self.directory.join(file)) {
                        self.fault(
                            span,
                            "others than its owner can get at the private key in it",
                        );
                    }
                    Some(contents)
                }
                Err(error) => {
                    self.fault(span, error.to_string());
                    None
                }
            },
            (None, Some((span, digits))) => self.pds(span, digits),
            (Some((span, _)), Some(_)) => {
                self.fault(span, "an identity has file or pds, not both");
                None
            }
            (None, None) => {
                self.fault(span.clone(), "[[identity]] lacks file");
                None
            }
        };
        if name.is_none() {
            self.fault(span, "[[identity]] lacks name");
        }
        if let (Some((span, true)), Some((_, file))) = (&key_in_kernel, file) {
            let why = format!("key_in_kernel goes with pds; the key of {file} is in {file}");
            self.fault(span.clone(), why);
        }
        let entry = Entry {
            name: name?,
            contents: contents?,
            key_in_kernel: key_in_kernel.is_some_and(|(_, yes)| yes),
            assign,
        };
        Some((name_span, entry))
    }

    fn pds(&mut self, span: Span<usize>, digits: &str) -> Option<IdentityFile> {
        let contents = hex::decode(digits)
            .map_err(|_| "hexadecimal digits, two for each octet, are expected".to_owned())
            .and_then(|pds| {
                let contents = IdentityFile {
                    pds,
                    private_key: None,
                };
                contents.check().map(|()| contents)
            });
        contents.map_err(|why| self.fault(span, why)).ok()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::pds::file::Target;
    use crate::pds::vectors::{
        self,
        octets, //
    };
    use crate::scratch::Directory;

    /// The PDS of a set of the vectors.
    pub(crate) fn pds(set: &str) -> Vec<u8> {
        let vectors = vectors::file("hba.json");
        octets(&vectors::named(&vectors["sets"], set)["addresses"][0]["pds"])
    }

    pub(crate) fn contents(set: &str) -> IdentityFile {
        IdentityFile {
            pds: pds(set),
            private_key: None,
        }
    }

    fn faults(text: &str) -> Vec<String> {
        let faults = read(text, Path::new("/nowhere")).unwrap_err();
        faults.iter().map(Fault::to_string).collect()
    }

    #[test]
    fn a_whole_file() {
        let directory = Directory::new();
        let target = Target::new(directory.path().join("home.hba"), false).unwrap();
        target.write(&contents("hostA"), &[]).unwrap();
        let text = format!(
            "[policy]
prefixes = [\"2001:db8:b::/48\", \"::/0\"]

[settings]
establish = \"auto\"
send_timeout = 2_000

[[identity]]
name = \"home\"
file = \"home.hba\"

[[identity]]
name = \"other\"
pds = \"{}\"
key_in_kernel = true
assign = false
",
            hex::encode(pds("hostC"))
        );
        let config = read(&text, directory.path()).unwrap();
        let prefixes: Vec<_> = config.policy.unwrap();
        let prefixes: Vec<_> = prefixes.iter().map(Prefix::to_string).collect();
        assert_eq!(prefixes, ["2001:db8:b::/48", "::/0"]);
        assert_eq!(
            config.settings.unwrap(),
            Values::from([
                ("establish", "auto".to_owned()),
                ("send_timeout", "2000".to_owned())
            ])
        );
        let identities = config.identities.unwrap();
        assert_eq!(
            identities,
            [
                Entry {
                    name: "home".parse().unwrap(),
                    contents: contents("hostA"),
                    key_in_kernel: false,
                    assign: true,
                },
                Entry {
                    name: "other".parse().unwrap(),
                    contents: contents("hostC"),
                    key_in_kernel: true,
                    assign: false,
                }
            ]
        );
    }

    #[test]
    fn what_is_not_spoken_of_and_what_is_empty() {
        let read = |text| read(text, Path::new("/nowhere")).unwrap();
        assert_eq!(read("# nothing\n"), Config::default());
        let config = read("identity = []\n[policy]\nprefixes = []\n[settings]\n");
        assert_eq!(config.identities, Some(Vec::new()));
        assert_eq!(config.policy, Some(Vec::new()));
        assert_eq!(config.settings, Some(Values::new()));
    }

    #[test]
    fn unknown_words_are_refused_with_the_known_ones() {
        let text = "
[settings]
send-timeout = 1
    establish = \"always\"
initial_probes = 33
tcp_retransmits = -1
hot_standby = true
max_contexts = \"many\"

[polic]
[policy]
prefix = []
";
        let faults = faults(text);
        assert!(
            faults[0].starts_with(
                "3:1: there is no \"send-timeout\" in [settings]; there are: max_contexts, "
            ) && faults[0].ends_with(", tag_bits"),
            "{faults:?}"
        );
        assert_eq!(
            faults[1..6],
            [
                "4:17: for establish \"off\" or \"on-request\" or \"auto\" is expected, not \"always\"",
                "5:18: for initial_probes a number of probes from 1 to 32 is expected, not 33",
                "6:19: for tcp_retransmits a number of timeouts from 0 to 255 is expected, not -1",
                "7:15: for hot_standby \"off\" or \"on\" is expected, not true",
                "8:16: for max_contexts a number of contexts from 0 to 2147483647 is expected, not \"many\"",
            ]
        );
        assert!(faults[6].starts_with("10:2: "), "{faults:?}");
    }

    #[test]
    fn columns_are_counted_in_characters() {
        let text = "[settings]\nestablish = \"ü\" # ü\n\n[x]\n";
        assert!(faults(text)[0].starts_with("2:13: "));
        let text = "policy = { \"prefixes\" = [\"::/0\", \"::/0\"], \"ü\" = 1, y = 2 }\n";
        let faults = faults(text);
        assert_eq!(faults[0], "1:34: ::/0 is there twice");
        assert!(faults[1].starts_with("1:43: there is no \"ü\" in [policy]; there are: prefixes"));
        assert!(faults[2].starts_with("1:52: "), "{faults:?}");
    }

    #[test]
    fn wrong_types() {
        for (text, words) in [
            ("policy = 1", "a table [policy] is expected, not 1"),
            ("[policy]", "[policy] lacks prefixes"),
            ("[policy]\nprefixes = 7", "an array of prefixes is expected"),
            ("[policy]\nprefixes = [7]", "2:13: a prefix as"),
            (
                "[policy]\nprefixes = [\"2001:db8::1/32\"]",
                "2:13: bits behind the prefix are set; the prefix is 2001:db8::/32",
            ),
            (
                "settings = []",
                "a table [settings] is expected, not this array",
            ),
            ("identity = 1", "a table [[identity]] is expected"),
            ("identity = [1]", "a table [[identity]] is expected"),
            (
                "[identity]\nname = \"a\"",
                "a table [[identity]] is expected",
            ),
        ] {
            assert!(faults(text)[0].contains(words), "{:?}", faults(text));
        }
    }

    #[test]
    fn what_is_wrong_with_identities() {
        let a = hex::encode(pds("hostA"));
        for (lines, words) in [
            ("name = \"a\"".to_owned(), "lacks file"),
            (format!("pds = \"{a}\""), "lacks name"),
            (
                "name = \"a b\"\nfile = \"x\"".into(),
                "2:8: a name has 1 to 31",
            ),
            (
                "name = \"a\"\nfile = \"x\"".into(),
                "3:8: cannot read an identity from /nowhere/x: No such",
            ),
            (
                "name = \"a\"\npds = \"0\"".into(),
                "3:7: hexadecimal digits, two",
            ),
            (
                "name = \"a\"\npds = \"00\"".into(),
                "3:7: too short for a PDS",
            ),
            (
                format!("name = \"a\"\npds = \"{a}\"\nfile = \"x\""),
                "4:8: an identity has file or pds",
            ),
            (
                format!("name = \"a\"\npds = \"{a}\"\nassign = 1"),
                "4:10: true or false is expected, not 1",
            ),
            (
                format!("name = \"a\"\npds = \"{a}\"\nfiles = 1"),
                "4:1: there is no \"files\" in [[identity]]; there are: name, file",
            ),
            (
                format!("name = \"a\"\npds = \"{a}\"\n[[identity]]\nname = \"a\"\npds = \"{a}\""),
                "5:8: a second identity \"a\"",
            ),
        ] {
            let text = format!("[[identity]]\n{lines}\n");
            assert!(faults(&text)[0].contains(words), "{:?}", faults(&text));
        }
    }

    #[test]
    fn a_private_key_is_for_its_owner() {
        use std::fs::{
            self,
            Permissions, //
        };
        use std::os::unix::fs::PermissionsExt;

        let directory = Directory::new();
        let path = directory.path().join("home");
        let signing = IdentityFile {
            private_key: Some(crate::pds::key::tests::sample("rsa1024")),
            ..contents("hostC")
        };
        let target = Target::new(path.clone(), false).unwrap();
        target.write(&signing, &[]).unwrap();
        let text = "[[identity]]\nname = \"home\"\nfile = \"home\"\n";
        read(text, directory.path()).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let faults = read(text, directory.path()).unwrap_err();
        assert!(faults[0]
            .to_string()
            .starts_with("3:8: others than its owner"));
    }

    #[test]
    fn texts_that_are_no_toml() {
        for (text, place) in [
            ("[settings\n", "1:"),
            ("[settings]\nsend_timeout 1\n", "2:"),
            ("[settings]\nsend_timeout = 1\nsend_timeout = 2\n", "3:1: "),
        ] {
            let faults = faults(text);
            assert!(faults[0].starts_with(place), "{faults:?}");
            assert!(!faults[0].contains('\n'));
        }
    }
}
