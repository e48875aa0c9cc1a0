// Package transfer moves files of any number and size between this machine and
// the storage: several requests at once, in bounded memory, and so that whoever
// was interrupted goes on where it ended.
//
// Nothing is stored half, and no file here is ever half: an upload becomes a
// file when the storage has all of it, and a download gets its name when all of
// it has been checked.
package transfer
