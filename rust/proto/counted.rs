// SPDX-License-Identifier: GPL-2.0

//! The form of all enums that say why something is not taken, and are counted one by one.

/// Declares an enum whose variants each have a number, to be the index of a counter, and a name,
/// which is also how they are displayed. Numbers follow the order of declaration, from 0.
macro_rules! counted {
    (
        $(#[$of_enum:meta])*
        $vis:vis enum $counted:ident {
            $($(#[$of_variant:meta])* $variant:ident = $name:literal,)*
        }
    ) => {
        $(#[$of_enum])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        $vis enum $counted {
            $($(#[$of_variant])* $variant,)*
        }

        impl $counted {
            /// All of them, in the order of their numbers: `ALL[i].index() == i`.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name for counters and logs: lower case, words joined by underscores.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The number, for an array of counters.
            pub const fn index(self) -> usize {
                self as usize
            }
        }

        impl ::core::fmt::Display for $counted {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(super) use counted;
