//! From a name in go-d.ini to a plugin.
