// SPDX-License-Identifier: GPL-2.0

//! The form of all enums whose variants have names on the command line.

/// Declares an enum whose variants each have a name, which is how they are displayed and parsed.
macro_rules! named {
    (
        $(#[$of_enum:meta])*
        pub enum $named:ident {
            $($(#[$of_variant:meta])* $variant:ident = $name:literal,)*
        }
    ) => {
        $(#[$of_enum])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum $named {
            $($(#[$of_variant])* $variant,)*
        }

        impl $named {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name on the command line.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        impl ::std::fmt::Display for $named {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl ::std::str::FromStr for $named {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().find(|one| one.name() == text);
                found.copied().ok_or_else(|| {
                    let names: Vec<_> = Self::ALL.iter().map(|one| one.name()).collect();
                    format!("there is no \"{text}\", but {}", names.join(", "))
                })
            }
        }
    };
}

pub(crate) use named;
