//! Whether engines behave alike: component-model test scripts, and calls compared between backends.
