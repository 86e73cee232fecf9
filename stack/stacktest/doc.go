// Package stacktest tests what is built on package stack, and what it is built on.
//
// [TestBackend] and [TestConfigStore] are the contracts of the two interfaces as tests, which every
// implementation passes. [Backend] and [Config] are implementations in memory that fail when told
// to: "failed, not done", "failed, but done", or hang. [Life] is a process that can be killed
// between any two of its calls.
package stacktest
