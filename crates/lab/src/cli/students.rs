//! The commands for students.

use super::args::{Check, Format};
use super::{at_once, colours, house, leave, prepare, print, say, unless_interrupted};
use crate::cargo;
use crate::error::Error;
use crate::exercises::{self, check};
use crate::text::Lang;

/// `lab check`.
///
/// # Errors
/// When it does not build, or nothing could be run.
pub(super) fn check(args: &Check, given: bool, lang: Lang) -> Result<u8, Error> {
    let exercises = exercises::all(cargo::workspace()?)?;
    let exercise = exercises::find(&exercises, &args.exercise)?;
    let package =
        if args.solution { format!("sol{}-{}", exercise.number, exercise.name) } else { exercise.package.clone() };
    let seed = prepare(&args.flags, given, lang)?;
    say(&lang.building(1));
    let mut executables = cargo::build(&[&package]).map_err(unless_interrupted)?;
    let executable = executables.remove(&package).ok_or(Error::Build(None))?;
    let executables = [(exercise.plays.package.to_owned(), executable)].into();
    let house = house(&args.flags, given, seed, executables, &[]);
    let findings = check::check(&house, exercise, at_once(&args.flags));
    leave(house, &args.flags, lang)?;
    let findings = findings?;
    let text = match args.flags.format {
        Format::Table => exercises::report(exercise, &findings, lang, colours()),
        Format::Json => format!("{:#}\n", check::json(exercise, &findings)),
    };
    print(&text)?;
    Ok(check::status(&findings))
}
