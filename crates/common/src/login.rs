//! Is a login (SASL) the reason that no broker answers? librdkafka only says what it met.

/// What is wrong with the login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// The broker knows no such user, or another password.
    Refused,
    /// The connection is closed as soon as a request comes: so does a broker that wants a login, or TLS.
    Missing,
    /// The broker lets nobody log in, or not by this mechanism.
    NotOffered,
}

impl Login {
    /// From what librdkafka said last.
    pub fn look(reason: &str) -> Option<Self> {
        let says = |part| reason.contains(part);
        if says("SASL authentication error") {
            Some(Self::Refused)
        } else if says("SASL Handshake not supported") || says("mechanism handshake failed") {
            Some(Self::NotOffered)
        } else if says("Disconnected") {
            Some(Self::Missing)
        } else {
            None
        }
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Refused => "correct -X sasl.username and -X sasl.password",
            Self::Missing => {
                "if it wants a login, give -X security.protocol=SASL_PLAINTEXT -X sasl.mechanism=PLAIN -X \
                 sasl.username=NAME -X sasl.password=PASSWORD"
            }
            Self::NotOffered => "leave out -X security.protocol, or choose another -X sasl.mechanism",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_told_from_a_broker_that_is_not_there() {
        let refused = "SASL authentication error: Authentication failed: Invalid username or password";
        let unknown = "SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported \
                       mechanisms: SCRAM-SHA-256";
        let none = "Failed to initialize SASL authentication: SASL Handshake not supported by broker (required by \
                    mechanism PLAIN)";
        let closed = "Disconnected: connection closed by peer: receive 0 after POLLIN";
        let absent = "Connect to ipv4#127.0.0.1:1 failed: Connection refused";
        assert_eq!(Login::look(refused), Some(Login::Refused));
        assert_eq!([unknown, none].map(Login::look), [Some(Login::NotOffered); 2]);
        assert_eq!(Login::look(closed), Some(Login::Missing));
        assert_eq!(Login::look(absent), None);
    }
}
