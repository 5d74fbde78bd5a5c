// When an actor system with a middleman ends, CAF now and then loses its last reference to the BASP broker, once in
// some dozens of systems that had connections. The process is at its end then, or a test is; what else leaks is still
// found.
#if defined(__SANITIZE_ADDRESS__)

// LeakSanitizer's name for it.
// NOLINTNEXTLINE(readability-identifier-naming,bugprone-reserved-identifier)
extern "C" const char* __lsan_default_suppressions();

// NOLINTNEXTLINE(readability-identifier-naming,bugprone-reserved-identifier)
extern "C" const char* __lsan_default_suppressions() { return "leak:caf::io::basp_broker\n"; }

#endif
