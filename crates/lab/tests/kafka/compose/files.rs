//! The compose files as data, and what they have to have in common with `compose/pom.xml` and `compose/kafka.sh`.

use std::{collections::BTreeMap, fs};

use saphyr::{LoadableYamlNode, Mapping, Yaml};

use crate::support::broker;

/// A service that runs Kafka.
pub(super) struct Service {
    pub(super) name: String,
    pub(super) environment: BTreeMap<String, String>,
}

impl Service {
    /// What the image writes to server.properties, apart from what depends on where Kafka runs.
    pub(super) fn settings(&self) -> BTreeMap<String, String> {
        let settings = self.environment.iter().filter(|(name, _)| *name != "KAFKA_HEAP_OPTS");
        settings
            .filter_map(|(name, value)| {
                let name = name.strip_prefix("KAFKA_")?.to_lowercase().replace('_', ".");
                (!is_place(&name)).then(|| (name, value.clone()))
            })
            .collect()
    }

    /// The address that clients of this listener are told, without its `NAME://`.
    fn advertised(&self, listener: &str) -> &str {
        let listeners = self.environment["KAFKA_ADVERTISED_LISTENERS"].split(',');
        let mut address = listeners.filter_map(|advertised| advertised.strip_prefix(listener)?.strip_prefix("://"));
        address.next().unwrap_or_else(|| panic!("{} does not advertise {listener}", self.name))
    }
}

/// Whether this setting says which node it is and where, and not how Kafka behaves.
pub(super) fn is_place(setting: &str) -> bool {
    let places = ["node.id", "controller.quorum.voters", "log.dirs", "inter.broker.listener.name"];
    places.contains(&setting) || setting.contains("listener")
}

/// The services of compose/`file` that run Kafka.
pub(super) fn kafka_services(file: &str) -> Vec<Service> {
    with_services(file, |services| {
        let kafka = services.iter().filter(|(_, service)| text(&service["image"]).starts_with("apache/kafka:"));
        kafka
            .map(|(name, service)| Service { name: name.clone(), environment: strings(&service["environment"]) })
            .collect()
    })
}

/// Hands over the services of compose/`file`, with what `<<` brings in. (YAML 1.2 has no `<<`, and so the parser
/// has none; Compose has.)
fn with_services<T>(file: &str, look: impl FnOnce(&BTreeMap<String, Yaml<'_>>) -> T) -> T {
    let path = broker::folder().join(file);
    let source = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let documents = Yaml::load_from_str(&source).unwrap_or_else(|error| panic!("{file}: {error}"));
    let [document] = &documents[..] else { panic!("{file}: {} documents", documents.len()) };
    let document = merged(document);
    assert!(document.as_mapping_get("version").is_none(), "{file}: Compose warns of `version`, which is obsolete");
    let services = document["services"].as_mapping().expect("services is a mapping");
    look(&services.iter().map(|(name, service)| (text(name), service.clone())).collect())
}

fn merged<'a>(node: &Yaml<'a>) -> Yaml<'a> {
    let Some(mapping) = node.as_mapping() else { return node.clone() };
    let mut result = Mapping::new();
    for (key, value) in mapping {
        if key.as_str() == Some("<<") {
            for (key, value) in merged(value).as_mapping().expect("<< brings in a mapping") {
                result.entry(key.clone()).or_insert_with(|| value.clone());
            }
        } else {
            result.insert(key.clone(), merged(value));
        }
    }
    Yaml::Mapping(result)
}

fn text(node: &Yaml<'_>) -> String {
    node.as_str().map(str::to_owned).or_else(|| node.as_integer().map(|number| number.to_string())).expect("a scalar")
}

fn strings(mapping: &Yaml<'_>) -> BTreeMap<String, String> {
    mapping.as_mapping().expect("a mapping").iter().map(|(name, value)| (text(name), text(value))).collect()
}

fn list(node: &Yaml<'_>) -> Vec<String> {
    node.as_sequence().expect("a list").iter().map(text).collect()
}

const FILES: [(&str, usize); 2] = [("single.yaml", 1), ("cluster.yaml", 3)];

#[test]
fn images_are_pinned_and_kafka_is_the_one_of_the_pom() {
    for (file, nodes) in FILES {
        with_services(file, |services| {
            let images: Vec<_> = services.values().map(|service| text(&service["image"])).collect();
            let expected = format!("apache/kafka:{}", broker::version());
            assert_eq!(images.iter().filter(|image| **image == expected).count(), nodes, "{file}: {images:?}");
            let ui: Vec<_> = images.iter().filter(|image| **image != expected).collect();
            assert_eq!(ui.len(), 1, "{file}: {images:?}");
            let tag = ui[0].split_once(':').unwrap_or_else(|| panic!("{file}: {} has no tag", ui[0])).1;
            assert!(tag.contains(|c: char| c.is_ascii_digit()), "{file}: {tag} is no version");
        });
    }
}

#[test]
fn ports_are_published_to_this_machine_only() {
    for (file, nodes) in FILES {
        with_services(file, |services| {
            let mut ports: Vec<_> = services.values().flat_map(|service| list(&service["ports"])).collect();
            ports.sort();
            let kafka = (9092..).take(nodes).map(|port| format!("127.0.0.1:{port}:{port}"));
            let expected: Vec<_> = ["127.0.0.1:8080:8080".to_owned()].into_iter().chain(kafka).collect();
            assert_eq!(ports, expected, "{file}");
        });
    }
}

#[test]
fn data_is_on_a_named_volume_of_each_node() {
    for (file, nodes) in FILES {
        let source = fs::read_to_string(broker::folder().join(file)).unwrap();
        let documents = Yaml::load_from_str(&source).unwrap();
        let declared = documents[0]["volumes"].as_mapping().expect("volumes are declared").keys().map(text);
        let mut used = with_services(file, |services| {
            let kafka = services.values().filter(|service| text(&service["image"]).starts_with("apache/kafka:"));
            kafka
                .map(|service| {
                    let [volume] = &list(&service["volumes"])[..] else { panic!("{file}: not one volume") };
                    let (name, mounted) = volume.split_once(':').expect("a volume and where it is mounted");
                    assert_eq!(mounted, strings(&service["environment"])["KAFKA_LOG_DIRS"], "{file}");
                    name.to_owned()
                })
                .collect::<Vec<_>>()
        });
        used.sort();
        assert_eq!(used, declared.collect::<Vec<_>>(), "{file}");
        assert_eq!(used.len(), nodes, "{file}");
    }
}

#[test]
fn each_listener_is_advertised_where_its_clients_reach_it() {
    for (file, _) in FILES {
        let kafka = kafka_services(file);
        with_services(file, |services| {
            for service in &kafka {
                let yaml = &services[&service.name];
                // What the host reaches is what is published; what containers reach is the service's name.
                let published = &list(&yaml["ports"])[0];
                assert_eq!(published.rsplit_once(':').unwrap().0, service.advertised("HOST"), "{file}");
                assert!(service.advertised("NETWORK").starts_with(&format!("{}:", service.name)), "{file}");

                // The health check asks the listener whose advertised addresses it can reach from where it runs.
                let check = list(&yaml["healthcheck"]["test"]);
                let [_, _, option, bootstrap] = &check[..] else { panic!("{file}: {check:?}") };
                assert_eq!(check[..2], ["CMD", "/opt/kafka/bin/kafka-broker-api-versions.sh"], "{file}");
                assert_eq!(option, "--bootstrap-server", "{file}");
                let port = service.advertised("NETWORK").split_once(':').unwrap().1;
                assert_eq!(*bootstrap, format!("127.0.0.1:{port}"), "{file}");
            }

            let ui = &services["ui"];
            assert_eq!(list(&ui["profiles"]), ["ui"], "{file}: the web page is not asked for by default");
            let asked = &strings(&ui["environment"])["KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS"];
            let network: Vec<_> = kafka.iter().map(|service| service.advertised("NETWORK")).collect();
            assert_eq!(*asked, network.join(","), "{file}");
            assert!(services.values().filter(|service| service.as_mapping_get("profiles").is_some()).count() == 1);
        });
    }
}
