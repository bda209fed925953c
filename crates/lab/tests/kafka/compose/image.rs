//! The environment of the compose files, turned into a running Kafka without Docker: by the code with which the
//! image apache/kafka makes server.properties of KAFKA_ variables and formats the storage.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, ResourceSpecifier},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    metadata::Metadata,
};
use tempfile::TempDir;

use super::{
    files::{Service, kafka_services},
    transaction::round_trip,
};
use crate::support::broker::{self, Script};

const START: Duration = Duration::from_secs(120);
const ANSWER: Duration = Duration::from_secs(10);

#[test]
#[ignore = "needs Java 17 and Maven: it starts Apache Kafka"]
fn single_yaml_makes_one_node_that_serves_transactions() {
    let cluster = Cluster::start("single.yaml");
    round_trip(&cluster.bootstrap("HOST"), "image-single", "one");
    cluster.check("image-single", 1, 1);
}

#[test]
#[ignore = "needs Java 17 and Maven: it starts Apache Kafka"]
fn cluster_yaml_makes_three_nodes_that_keep_three_replicas_of_everything() {
    let cluster = Cluster::start("cluster.yaml");
    round_trip(&cluster.bootstrap("HOST"), "image-cluster", "one");
    cluster.check("image-cluster", 3, 2);
}

/// A compose file's Kafka services, with 127.0.0.1 and free ports for the containers' names and ports.
struct Cluster {
    places: Places,
    services: Vec<Service>,
    nodes: Vec<Process>,
    dir: TempDir,
}

impl Cluster {
    fn start(file: &str) -> Self {
        let services = kafka_services(file);
        let places = Places::new(&services);
        let dir = TempDir::new().unwrap();
        let mut cluster = Self { places, services, nodes: Vec::new(), dir };
        let jars = jars();

        // All at once: each is a Java that has to start.
        let mut setups: Vec<_> = cluster.services.iter().map(|service| cluster.setup(service, &jars)).collect();
        for setup in &mut setups {
            assert!(setup.child.wait().unwrap().success(), "{}", setup.log());
        }
        cluster.nodes = cluster.services.iter().map(|service| cluster.node(service, &jars)).collect();

        let end = Instant::now() + START;
        loop {
            let known = cluster.metadata("HOST").map_or(0, |metadata| metadata.brokers().len());
            if known == cluster.services.len() {
                return cluster;
            }
            for node in &mut cluster.nodes {
                assert!(node.child.try_wait().unwrap().is_none(), "{}", node.log());
            }
            assert!(Instant::now() < end, "{known} brokers only after {START:?}; {}", cluster.nodes[0].log());
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn dir(&self, service: &Service, name: &str) -> PathBuf {
        let dir = self.dir.path().join(&service.name).join(name);
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    /// What /etc/kafka/docker/launch does before it starts Kafka.
    fn setup(&self, service: &Service, jars: &Path) -> Process {
        let [default, mounted, last] = ["default", "mounted", "final"].map(|name| self.dir(service, name));
        // In place of the files of the image. It takes this server.properties only if there is no KAFKA_ variable.
        fs::write(default.join("server.properties"), "process.roles=none\n").unwrap();
        for name in ["log4j2.yaml", "tools-log4j2.yaml"] {
            fs::write(default.join(name), "Configuration:\n  Loggers:\n    Root:\n      level: INFO\n").unwrap();
        }
        let mut java = java(jars);
        java.args(["kafka.docker.KafkaDockerWrapper", "setup"]);
        for (option, dir) in [("default", &default), ("mounted", &mounted), ("final", &last)] {
            java.arg(format!("--{option}-configs-dir")).arg(dir);
        }
        // The image would read those of whoever runs the tests, too.
        for (name, _) in env::vars().filter(|(name, _)| name.starts_with("KAFKA_")) {
            java.env_remove(name);
        }
        java.envs(self.places.apply(service)).env("KAFKA_LOG_DIRS", self.dir(service, "data"));
        Process::start(&mut java, self.dir(service, "log").join("setup"))
    }

    fn node(&self, service: &Service, jars: &Path) -> Process {
        let mut java = java(jars);
        let log4j = broker::folder().join("log4j2.properties");
        java.arg(format!("-Dlog4j2.configurationFile={}", log4j.display()));
        java.arg("kafka.Kafka").arg(self.dir(service, "final").join("server.properties"));
        Process::start(&mut java, self.dir(service, "log").join("kafka"))
    }

    fn bootstrap(&self, listener: &str) -> String {
        let ports = self.places.of(listener, &self.services);
        ports.iter().map(|port| format!("127.0.0.1:{port}")).collect::<Vec<_>>().join(",")
    }

    fn metadata(&self, listener: &str) -> rdkafka::error::KafkaResult<Metadata> {
        // A new client each time, as one that has failed waits longer and longer before it connects again.
        let client: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", self.bootstrap(listener)).create().unwrap();
        client.fetch_metadata(None, ANSWER)
    }

    fn check(&self, topic: &str, replicas: usize, in_sync: usize) {
        for listener in ["HOST", "NETWORK"] {
            let metadata = self.metadata(listener).unwrap();
            let told: BTreeSet<_> = metadata.brokers().iter().map(|broker| broker.port() as u16).collect();
            assert_eq!(told, self.places.of(listener, &self.services), "what {listener} sends its clients to");
        }

        let metadata = self.metadata("HOST").unwrap();
        let coordinators = self.services.len();
        for (name, partitions) in
            [(topic, 1), ("__consumer_offsets", coordinators), ("__transaction_state", coordinators)]
        {
            let topic = metadata.topics().iter().find(|topic| topic.name() == name).expect(name);
            assert_eq!(topic.partitions().len(), partitions, "{name}");
            for partition in topic.partitions() {
                assert_eq!(partition.replicas().len(), replicas, "{name}");
            }
            assert_eq!(self.setting(name, "min.insync.replicas"), in_sync.to_string(), "{name}");
        }
    }

    fn setting(&self, topic: &str, name: &str) -> String {
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", self.bootstrap("HOST")).create().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let options = AdminOptions::new().request_timeout(Some(ANSWER));
        let answer = runtime.block_on(admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options));
        let config = answer.unwrap().remove(0).unwrap();
        config.get(name).and_then(|entry| entry.value.clone()).unwrap_or_else(|| panic!("{topic} has no {name}"))
    }
}

/// The port on this machine for each port of a service.
struct Places(BTreeMap<(String, String), u16>);

impl Places {
    fn new(services: &[Service]) -> Self {
        let container_ports = services.iter().flat_map(|service| {
            let listeners = service.environment["KAFKA_LISTENERS"].split(',');
            listeners.map(|listener| (service.name.clone(), listener.rsplit_once(':').expect(listener).1.to_owned()))
        });
        let container_ports: Vec<_> = container_ports.collect();
        let first = broker::free_ports(container_ports.len() as u16);
        Self(container_ports.into_iter().zip(first..).collect())
    }

    /// The service's environment, with addresses of this machine.
    fn apply(&self, service: &Service) -> BTreeMap<String, String> {
        let mut environment = service.environment.clone();
        for name in ["KAFKA_LISTENERS", "KAFKA_ADVERTISED_LISTENERS", "KAFKA_CONTROLLER_QUORUM_VOTERS"] {
            let value = environment.get_mut(name).expect(name);
            *value = value.split(',').map(|address| self.translate(address, service)).collect::<Vec<_>>().join(",");
        }
        environment
    }

    /// `NAME://HOST:PORT` or `ID@HOST:PORT`. No host, or this machine's, stands for the service itself.
    fn translate(&self, address: &str, service: &Service) -> String {
        let (before, port) = address.rsplit_once(':').expect(address);
        let (prefix, host) = before.split_at(before.rfind(['/', '@']).expect(address) + 1);
        let host = if matches!(host, "" | "127.0.0.1") { &service.name } else { host };
        let port = self.0.get(&(host.to_owned(), port.to_owned()));
        format!("{prefix}127.0.0.1:{}", port.unwrap_or_else(|| panic!("nobody listens on {address}")))
    }

    /// The ports of one listener, of all services.
    fn of(&self, listener: &str, services: &[Service]) -> BTreeSet<u16> {
        let ports = services.iter().map(|service| {
            let applied = self.apply(service);
            let mut listeners = applied["KAFKA_LISTENERS"].split(',');
            let address = listeners.find(|address| address.starts_with(listener)).expect(listener);
            address.rsplit_once(':').expect(address).1.parse().unwrap()
        });
        ports.collect()
    }
}

/// A process that does not outlive the test.
struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    fn start(command: &mut Command, log: PathBuf) -> Self {
        let output = File::create(&log).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        Self { child: command.spawn().unwrap(), log }
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error would mean that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn java(jars: &Path) -> Command {
    let java = env::var_os("JAVA_HOME").map_or_else(|| "java".into(), |home| PathBuf::from(home).join("bin/java"));
    let mut command = Command::new(java);
    command.args(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"]).arg(jars.join("*"));
    command
}

/// Kafka's jars, downloaded if need be.
fn jars() -> PathBuf {
    let mut download = Script::start(Command::new(Script::path()).arg("--download"));
    assert!(download.wait().success(), "{}", download.stderr());
    let lib = env::var_os("KAFKA_LIB_DIR").map_or_else(|| broker::folder().join(".lib"), PathBuf::from);
    lib.join(broker::version())
}
