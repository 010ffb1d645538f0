//! Progress of a compilation, on a terminal.

use airssys_wasm::engine::Progress;

#[cfg(feature = "cli")]
pub(crate) use on_terminal::Bar;

#[cfg(feature = "cli")]
mod on_terminal {
    use std::time::Duration;

    use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

    use super::Progress;

    /// A line on standard error; hidden if that is not a terminal.
    #[derive(Debug)]
    pub(crate) struct Bar(ProgressBar);

    impl Bar {
        pub(crate) fn new() -> Bar {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style =
                ProgressStyle::with_template("{msg} [{bar:30}] {percent}% {elapsed} elapsed, {eta} left");
            if let Ok(style) = style {
                bar.set_style(style.progress_chars("=> "));
            }
            // Updates the time also while one long function is compiled.
            if !bar.is_hidden() {
                bar.enable_steady_tick(Duration::from_millis(200));
            }
            Bar(bar)
        }

        pub(crate) fn show(&self, progress: Progress) {
            if self.0.is_hidden() {
                return;
            }
            self.0.set_length(progress.bytes);
            self.0.set_message(format!(
                "module {} of {}, {} functions",
                (progress.modules_done + 1).min(progress.modules),
                progress.modules,
                progress.functions
            ));
            self.0.set_position(progress.bytes_done);
        }

        pub(crate) fn clear(&self) {
            self.0.finish_and_clear();
        }
    }
}

/// The progress bar of a build without a compiler: it shows nothing.
#[cfg(not(feature = "cli"))]
#[derive(Debug)]
pub(crate) struct Bar;

#[cfg(not(feature = "cli"))]
impl Bar {
    pub(crate) fn new() -> Bar {
        Bar
    }

    pub(crate) fn show(&self, _: Progress) {}

    pub(crate) fn clear(&self) {}
}
