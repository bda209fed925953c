//! What an exercise says of itself, read with `cargo metadata`: cargo knows the workspace, and tells what is wrong with a
//! manifest.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Exercise, Words};
use crate::catalogue::{self, Promise};
use crate::error::Error;
use crate::matrix::{self, Job};

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    metadata: Option<Tables>,
}

#[derive(Deserialize)]
struct Tables {
    lab: Option<Lab>,
}

#[derive(Deserialize)]
struct Lab {
    title: Text,
    plays: String,
    passes: Vec<String>,
    fails: Fails,
    unproven: Text,
    #[serde(default)]
    promise: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Text {
    en: String,
    fr: String,
}

#[derive(Deserialize)]
struct Fails {
    scenario: String,
    anomaly: String,
}

impl From<Text> for Words {
    fn from(Text { en, fr }: Text) -> Self {
        Self { en, fr }
    }
}

/// The exercises of the checkout at this place, in their order.
///
/// # Errors
/// [`Error::Manifest`] when cargo cannot read the workspace, or an exercise's own table names what there is not.
pub fn all(workspace: &Path) -> Result<Vec<Exercise>, Error> {
    let metadata: Metadata = serde_json::from_slice(&crate::cargo::metadata(workspace)?)
        .map_err(|error| Error::Manifest { package: "Cargo.toml".into(), why: error.to_string() })?;
    let mut exercises = Vec::new();
    for package in metadata.packages {
        let Some(lab) = package.metadata.and_then(|tables| tables.lab) else { continue };
        let (name, manifest) = (package.name, package.manifest_path);
        exercises.push(exercise(&name, &manifest, lab).map_err(|why| Error::Manifest { package: name.clone(), why })?);
    }
    exercises.sort_by(|a, b| a.number.cmp(&b.number));
    Ok(exercises)
}

fn exercise(package: &str, manifest: &Path, lab: Lab) -> Result<Exercise, String> {
    let (number, name) = package
        .strip_prefix("ex")
        .and_then(|rest| rest.split_once('-'))
        .ok_or("an exercise's package is called exNN-name")?;
    let plays = catalogue::find(&lab.plays).ok_or_else(|| format!("no program is called {}", lab.plays))?;
    let job =
        |words: &str| job(plays.package, words).ok_or_else(|| format!("no scenario {words} concerns {}", lab.plays));
    Ok(Exercise {
        number: number.to_owned(),
        name: name.to_owned(),
        package: package.to_owned(),
        folder: manifest.parent().unwrap_or(manifest).to_owned(),
        title: lab.title.into(),
        plays,
        promise: match &lab.promise {
            None => plays.promise(),
            Some(words) => promise(words)?,
        },
        jobs: lab.passes.iter().map(|words| job(words)).collect::<Result<_, _>>()?,
        fails: (job(&lab.fails.scenario)?, lab.fails.anomaly),
        unproven: lab.unproven.into(),
    })
}

fn job(program: &str, words: &str) -> Option<Job> {
    matrix::jobs().into_iter().find(|job| job.program.package == program && job.is_called(words))
}

fn promise(words: &[String]) -> Result<Promise, String> {
    let mut promise = Promise { no_loss: false, no_duplicate: false, in_order: false, atomic: false };
    for word in words {
        match word.as_str() {
            "no-loss" => promise.no_loss = true,
            "no-duplicate" => promise.no_duplicate = true,
            "in-order" => promise.in_order = true,
            "atomic" => promise.atomic = true,
            other => return Err(format!("no promise is called {other}")),
        }
    }
    Ok(promise)
}
