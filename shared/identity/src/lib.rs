//! Who somebody is: what proves it, how it is checked, and what is kept of it.
//!
//! Pure: no AWS, no `async`, no environment, no `now()`. Time is passed in; chance comes from the operating system.
//!
//! | read | module | what it does |
//! |---|---|---|
//! | 1 | [`password`] | the first factor: what may be chosen, its Argon2id hash, and checks that take as long for nobody |
//! | 2 | [`totp`] | the second factor from an authenticator app: secret, QR code, and codes that work once |
//! | 3 | [`passkey`] | both factors in one: a key on the person's own device, unlocked by its owner |
//! | 4 | [`recovery`] | ten codes on paper for the day the device is lost |
//! | 5 | [`credentials`] | what one account has of these, in the form that is stored |
//! | – | [`chance`] | random bytes from the operating system |

pub mod chance;
pub mod credentials;
pub mod passkey;
pub mod password;
pub mod recovery;
pub mod totp;

pub use credentials::Credentials;
