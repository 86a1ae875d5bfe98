// SPDX-License-Identifier: GPL-2.0

//! The 32-bit numbers of the protocol. They are compared for equality only, so each is a type of
//! its own and none has an order or arithmetic.

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(transparent)]
        pub struct $name(u32);

        impl $name {
            /// The number with this value, in host byte order.
            pub const fn new(value: u32) -> Self {
                Self(value)
            }

            /// The value, in host byte order.
            pub const fn get(self) -> u32 {
                self.0
            }

            /// From the four octets on the wire.
            pub const fn from_wire(octets: [u8; 4]) -> Self {
                Self(u32::from_be_bytes(octets))
            }

            /// The four octets on the wire.
            pub const fn to_wire(self) -> [u8; 4] {
                self.0.to_be_bytes()
            }
        }
    };
}

number! {
    /// Forked Instance Identifier: tells the contexts of one ULID pair apart (RFC 5533,
    /// Section 5.15.7).
    Fii
}

impl Fii {
    /// The context that exists without forking. A message without an FII option means it, and so
    /// does one whose option says 0.
    pub const DEFAULT: Self = Self::new(0);
}

number! {
    /// A nonce: Initiator Nonce, Responder Nonce, Request Nonce (RFC 5533, Section 5.4 ff.) or
    /// Probe Nonce (RFC 5534, Section 5.2).
    Nonce
}

number! {
    /// Locator List Generation: says to which list a Locator Preferences option refers (RFC 5533,
    /// Section 5.15.2).
    Generation
}
