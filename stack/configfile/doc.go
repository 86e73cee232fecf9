// Package configfile holds the stack's config file: the document (parse it, edit it without
// touching a byte that need not change, compare and merge versions) and the store on disk (read,
// stage, commit with a backup, prune).
//
// The bytes on disk are the truth. A Document never re-renders a file: an edit replaces, inserts or
// removes the bytes of the keys that it is about, and is checked by parsing the result and comparing
// every other value before it counts.
//
// Places in a document are JSON pointers (RFC 6901): "/risk/max_position_usd", "/broker/0/name";
// "~0" stands for "~" and "~1" for "/" in a key.
package configfile
