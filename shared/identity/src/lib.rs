//! Who somebody is: passwords, one-time codes, passkeys, recovery codes. Pure: no AWS, no I/O.
