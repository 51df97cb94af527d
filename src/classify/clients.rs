//! What clients of databases, brokers, clouds and HTTP say when the other side fails them, in words of their own; and
//! what the tools that start programs of Node.js and Ruby say.

use super::finding::Runtime;
use super::messages::{Rule, by, rule};
use super::reason::*;

/// These stand before the texts that every program may write: what is more precise stands first.
pub static CLIENTS: &[Rule] = &[
    // Names.
    rule(DNS_FAILURE, &["unknown mysql server host"]),
    rule(DEPENDENCY_TIMEOUT, &["ora-12170"]),
    // Too slow; before what could not be reached, which the same words begin.
    rule(DEPENDENCY_TIMEOUT, &["can't connect to ", "server on '", "timed out"]),
    rule(DEPENDENCY_TIMEOUT, &["operationtimedout"]),
    rule(DEPENDENCY_TIMEOUT, &["server selection timed out"]),
    rule(DEPENDENCY_TIMEOUT, &[": timed out (configured timeouts"]),
    rule(DEPENDENCY_TIMEOUT, &["buffering timed out after "]),
    rule(DEPENDENCY_TIMEOUT, &["handshake inactivity timeout"]),
    rule(DEPENDENCY_TIMEOUT, &["timeout of ", "ms exceeded"]),
    rule(DEPENDENCY_TIMEOUT, &["connect timeout error"]),
    rule(DEPENDENCY_TIMEOUT, &["headers timeout error"]),
    rule(DEPENDENCY_TIMEOUT, &["body timeout error"]),
    rule(DEPENDENCY_TIMEOUT, &["connection <monitor> to ", " timed out"]),
    rule(DEPENDENCY_TIMEOUT, &["timed out connecting to server"]),
    // Nobody there, or gone.
    rule(CONNECTION_REFUSED, &["can't connect to ", "server on '"]),
    rule(CONNECTION_REFUSED, &["server closed the connection unexpectedly"]),
    rule(CONNECTION_REFUSED, &["lost connection to mysql server"]),
    rule(CONNECTION_REFUSED, &["mysql server has gone away"]),
    rule(CONNECTION_REFUSED, &["broker transport failure"]),
    rule(CONNECTION_REFUSED, &["brokers are down"]),
    rule(CONNECTION_REFUSED, &["could not connect to any of the seed brokers"]),
    rule(CONNECTION_REFUSED, &["unable to bootstrap from "]),
    rule(CONNECTION_REFUSED, &["no servers available for connection"]),
    rule(CONNECTION_REFUSED, &["could not establish tcp connection to any"]),
    rule(CONNECTION_REFUSED, &["socket error: could not connect to host"]),
    rule(CONNECTION_REFUSED, &["all connection attempts failed"]),
    rule(CONNECTION_REFUSED, &["unable to connect to port "]),
    rule(CONNECTION_REFUSED, &["read error on connection to "]),
    rule(CONNECTION_REFUSED, &["reached the max retries per request limit"]),
    rule(CONNECTION_REFUSED, &["can't reach database server"]),
    rule(CONNECTION_REFUSED, &["socket closed unexpectedly"]),
    rule(CONNECTION_REFUSED, &["other side closed"]),
    rule(CONNECTION_REFUSED, &["socket hang up"]),
    rule(CONNECTION_REFUSED, &["econnreset"]),
    rule(CONNECTION_REFUSED, &["ora-12541"]),
    rule(CONNECTION_REFUSED, &["unable to connect to nats servers"]),
    // Who one is.
    rule(AUTHENTICATION_FAILED, &["auth fail for methods"]),
    rule(AUTHENTICATION_FAILED, &["not authorized to connect"]),
    rule(AUTHENTICATION_FAILED, &["access_refused"]),
    rule(AUTHENTICATION_FAILED, &["authenticationfailed"]),
    rule(AUTHENTICATION_FAILED, &["invalidcredentials"]),
    rule(AUTHENTICATION_FAILED, &["username and password not accepted"]),
    rule(AUTHENTICATION_FAILED, &["response code 401"]),
    rule(AUTHENTICATION_FAILED, &["response code 403"]),
    rule(AUTHENTICATION_FAILED, &["[401] {"]),
    rule(AUTHENTICATION_FAILED, &["invalidclienttokenid"]),
    rule(AUTHENTICATION_FAILED, &["aws access key id you provided does not exist"]),
    rule(AUTHENTICATION_FAILED, &["unable to sign request without credentials"]),
    rule(AUTHENTICATION_FAILED, &["could not load credentials from any providers"]),
    rule(AUTHENTICATION_FAILED, &["error retrieving credentials from"]),
    rule(AUTHENTICATION_FAILED, &["default credentials were not found"]),
    rule(AUTHENTICATION_FAILED, &["failed to retrieve a token"]),
    rule(AUTHENTICATION_FAILED, &["missing authentication credentials"]),
    rule(AUTHENTICATION_FAILED, &["authentication credentials invalid"]),
    rule(AUTHENTICATION_FAILED, &["responded with status 401"]),
    rule(AUTHENTICATION_FAILED, &["responded with status 403"]),
    rule(AUTHENTICATION_FAILED, &["statuscode.permission_denied"]),
    rule(AUTHENTICATION_FAILED, &["7 permission_denied: "]),
    rule(AUTHENTICATION_FAILED, &["403 permission denied"]),
    // Oracle.
    rule(AUTHENTICATION_FAILED, &["ora-01017"]),
    // Vault.
    rule(AUTHENTICATION_FAILED, &["permission denied, on ", " http"]),
    // gRPC says this of all its addresses, and why behind it.
    rule(TLS_FAILURE, &["failed to connect to all addresses", "ssl"]),
    rule(CONNECTION_REFUSED, &["failed to connect to all addresses"]),
    rule(TLS_FAILURE, &["unable to verify the first certificate"]),
    rule(TLS_FAILURE, &["server does not support ssl"]),
    rule(TLS_FAILURE, &["ssl routines:"]),
    // Resources and libraries.
    rule(HEAP_EXHAUSTED, &["resource_exhausted: out of memory"]),
    rule(DISK_FULL, &["database or disk is full"]),
    rule(TOO_MANY_OPEN_FILES, &["number of file watchers reached"]),
    rule(TOO_MANY_OPEN_FILES, &["inotify watch limit reached"]),
    rule(TOO_MANY_OPEN_FILES, &["inotify instance limit reached"]),
    rule(HEAP_EXHAUSTED, &["cuda error: out of memory"]),
    by(Runtime::Nodejs, HEAP_EXHAUSTED, &["spawn enomem"]),
    by(Runtime::Python, MISSING_MODULE, &["can't load plugin: sqlalchemy.dialects"]),
    rule(MISSING_LIBRARY, &[": undefined symbol: "]),
    // Tools that start programs.
    by(Runtime::Nodejs, MISSING_FILE, &["couldn't find a package.json file"]),
    by(Runtime::Nodejs, MISSING_FILE, &["no package.json (or package.yaml"]),
    by(Runtime::Nodejs, MISSING_FILE, &["could not find ", "schema.prisma"]),
    by(Runtime::Nodejs, MISSING_FILE, &["could not find prisma schema"]),
    by(Runtime::Nodejs, INVALID_CONFIGURATION, &["node: bad option: "]),
    by(Runtime::Nodejs, INVALID_CONFIGURATION, &[" is not allowed in node_options"]),
    by(Runtime::Nodejs, INVALID_CONFIGURATION, &["illegal value for flag --"]),
    by(Runtime::Nodejs, MISSING_CONFIGURATION, &["error: required option '-", "' not specified"]),
    by(Runtime::Nodejs, MISSING_CONFIGURATION, &["error: missing required argument '"]),
    rule(INVALID_CONFIGURATION, &["error: no such option"]),
    by(Runtime::Nodejs, PERMISSION_DENIED, &["your cache folder contains root-owned files"]),
    by(Runtime::Ruby, MISSING_FILE, &["configuration /", ".ru not found"]),
    // Settings. Kafka's data directory of another cluster.
    rule(INVALID_CONFIGURATION, &["doesn't match stored clusterid"]),
    by(Runtime::Python, INVALID_CONFIGURATION, &["could not override '"]),
    rule(MISSING_CONFIGURATION, &["you must specify a region"]),
    rule(MISSING_CONFIGURATION, &["region is missing"]),
    rule(MISSING_CONFIGURATION, &["missing keyword :region"]),
    rule(MISSING_CONFIGURATION, &["the config profile (", ") could not be found"]),
    rule(MISSING_CONFIGURATION, &["service host/port is not set"]),
    rule(MISSING_CONFIGURATION, &["client password must be a string"]),
    rule(MISSING_CONFIGURATION, &["secret or private key must have a value"]),
    rule(MISSING_CONFIGURATION, &["secretorprivatekey must have a value"]),
    rule(MISSING_CONFIGURATION, &["jwtstrategy requires a secret or key"]),
    rule(INVALID_CONFIGURATION, &["could not parse sqlalchemy url"]),
    rule(INVALID_CONFIGURATION, &["could not parse rfc1738 url"]),
    rule(MISSING_CONFIGURATION, &["missing mandatory value: "]),
    rule(MISSING_CONFIGURATION, &["parameter to `openuri()` must be a string, got \"undefined\""]),
    rule(MISSING_CONFIGURATION, &["nest cannot export a provider/module"]),
    rule(INVALID_CONFIGURATION, &["invalid scheme, expected connection string to start with"]),
    rule(INVALID_CONFIGURATION, &["[errno 99] cannot assign requested address"]),
];

#[cfg(test)]
mod tests {
    use super::super::messages::{Messages, Voice};

    #[test]
    fn the_words_of_clients_name_the_reason() {
        let cases = [
            ("(2003, \"Can't connect to MySQL server on 'db' (timed out)\")", "DependencyTimeout"),
            ("(2002, \"Can't connect to server on 'db' (115)\")", "ConnectionRefused"),
            ("Unknown MySQL server host 'db' (-2)", "DnsFailure"),
            ("KafkaError{code=_TRANSPORT,str=\"Local: Broker transport failure\"}", "ConnectionRefused"),
            ("failed to connect to all addresses; last error: Connection refused", "ConnectionRefused"),
            ("failed to connect to all addresses; last error: SSL_ERROR_SSL: wrong version", "TlsFailure"),
            ("permission denied, on post http://vault:8200/v1/auth/kubernetes/login", "AuthenticationFailed"),
            ("open /data/x: permission denied", "PermissionDenied"),
            ("ENOSPC: System limit for number of file watchers reached, watch '/app'", "TooManyOpenFiles"),
            ("timeout of 3000ms exceeded", "DependencyTimeout"),
            ("ORA-01017: invalid username/password; logon denied", "AuthenticationFailed"),
            ("ORA-12541: TNS:no listener", "ConnectionRefused"),
            ("Unable to connect to NATS servers: [nats://nats:4222]", "ConnectionRefused"),
            ("Auth fail for methods 'publickey,password'", "AuthenticationFailed"),
            ("Could not override 'bnak'.", "InvalidConfiguration"),
            ("connection <monitor> to 10.0.0.3:27017 timed out", "DependencyTimeout"),
            ("automatic bind not successful - invalidCredentials", "AuthenticationFailed"),
            ("[Errno 28] inotify watch limit reached", "TooManyOpenFiles"),
            ("SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string", "MissingConfiguration"),
            ("Can't load plugin: sqlalchemy.dialects:postgres", "MissingModule"),
            ("node: bad option: --max-heap", "InvalidConfiguration"),
            ("/usr/local/bin/node: --eval= is not allowed in NODE_OPTIONS", "InvalidConfiguration"),
            ("error: required option '--dsn <dsn>' not specified", "MissingConfiguration"),
            ("Error: No such option '--bnak'. Did you mean '--bank'?", "InvalidConfiguration"),
            ("error Couldn't find a package.json file in \"/app\"", "MissingFile"),
            ("Could not locate Gemfile or .bundle/ directory", "MissingFile"),
            ("accept EMFILE", "TooManyOpenFiles"),
        ];
        let messages = Messages::default();
        for (text, reason) in cases {
            let meaning = messages.meaning(text, Voice::Panic);
            assert_eq!(meaning.map(|m| m.reason.to_string()).as_deref(), Some(reason), "{text}");
        }
    }
}
