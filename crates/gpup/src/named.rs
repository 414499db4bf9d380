//! The files that a command line names, and what becomes of each.

use std::iter;

use crate::args::{Command, GuestArgs};
use crate::files::roles::Role;
use crate::note::Note;

impl Command {
    /// All of them but its report and its trace.
    pub(crate) fn files(&self) -> Vec<Role> {
        let image = |guest: &GuestArgs| guest.image.clone().map(|image| Role::read("--image", image));
        match self {
            Self::Migrate(args) => {
                let doubt = args.in_doubt_file.clone().map(|file| Role::written("--in-doubt-file", file));
                doubt.into_iter().chain(image(&args.guest)).collect()
            }
            Self::Save(args) => {
                iter::once(Role::written("FILE", &args.file)).chain(image(&args.guest)).collect()
            }
            Self::Restore(args) => {
                let image =
                    Note::image_of(&args.file).map(|image| Role::read("the image that FILE names", image));
                iter::once(Role::read("FILE", &args.file)).chain(image).collect()
            }
            Self::Inspect(args) => vec![Role::read("FILE", &args.file)],
            Self::Schedule(args) => {
                let picture = args.svg.clone().map(|file| Role::written("--svg", file));
                picture.into_iter().chain([Role::read("--scenario", &args.scenario)]).collect()
            }
            Self::Top(args) => image(&args.guest).into_iter().collect(),
            Self::Serve(_) | Self::Resolve(_) | Self::Caps(_) | Self::Check(_) => Vec::new(),
        }
    }
}
