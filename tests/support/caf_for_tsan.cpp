// ThreadSanitizer cannot see the atomics inside Debian's libcaf, which is built without it, and would report every
// message as a race between sender and receiver. The functions below stand in front of libcaf's own and let it know
// what happens before what: an enqueue before the handler, one turn of an actor before its next, every release of a
// reference before the last. Measured with the `sharing` scheduler: no false report, and a planted race is still found.
// With `stealing`, the nodes of CAF's own queues are reported.
#if defined(__SANITIZE_THREAD__)

#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <cstdlib>

#include "caf/all.hpp"

namespace {

template <class Function>
Function* original(const char* mangled_name) {
  void* found = dlsym(RTLD_NEXT, mangled_name);
  if (found == nullptr) std::abort();
  return reinterpret_cast<Function*>(found);
}

void happens_before(const volatile void* what) { __tsan_release(const_cast<void*>(what)); }
void happens_after(const volatile void* what) { __tsan_acquire(const_cast<void*>(what)); }

}  // namespace

namespace caf {

void scheduled_actor::enqueue(mailbox_element_ptr element, execution_unit* host) {
  using function = void(scheduled_actor*, mailbox_element_ptr, execution_unit*);
  static auto* next = original<function>(
      "_ZN3caf15scheduled_actor7enqueueESt10unique_ptrINS_15mailbox_elementENS_6detail8disposerEEPNS_14execution_"
      "unitE");
  happens_before(this);
  next(this, std::move(element), host);
}

void blocking_actor::enqueue(mailbox_element_ptr element, execution_unit* host) {
  using function = void(blocking_actor*, mailbox_element_ptr, execution_unit*);
  static auto* next = original<function>(
      "_ZN3caf14blocking_actor7enqueueESt10unique_ptrINS_15mailbox_elementENS_6detail8disposerEEPNS_14execution_unitE");
  happens_before(this);
  next(this, std::move(element), host);
}

intrusive::task_result blocking_actor::mailbox_visitor::operator()(mailbox_element& element) {
  using function = intrusive::task_result(mailbox_visitor*, mailbox_element&);
  static auto* next = original<function>("_ZN3caf14blocking_actor15mailbox_visitorclERNS_15mailbox_elementE");
  happens_after(self);
  return next(this, element);
}

scheduled_actor::activation_result scheduled_actor::reactivate(mailbox_element& element) {
  using function = activation_result(scheduled_actor*, mailbox_element&);
  static auto* next = original<function>("_ZN3caf15scheduled_actor10reactivateERNS_15mailbox_elementE");
  happens_after(this);
  const auto result = next(this, element);
  happens_before(this);
  return result;
}

void scheduled_actor::launch(execution_unit* host, bool lazy, bool hide) {
  using function = void(scheduled_actor*, execution_unit*, bool, bool);
  static auto* next = original<function>("_ZN3caf15scheduled_actor6launchEPNS_14execution_unitEbb");
  happens_before(this);
  next(this, host, lazy, hide);
}

resumable::resume_result scheduled_actor::resume(execution_unit* host, size_t max_throughput) {
  using function = resume_result(scheduled_actor*, execution_unit*, size_t);
  static auto* next = original<function>("_ZN3caf15scheduled_actor6resumeEPNS_14execution_unitEm");
  happens_after(this);
  const auto result = next(this, host, max_throughput);
  happens_before(this);  // Only an address: the actor may be gone.
  return result;
}

void ref_counted::deref() const noexcept {
  using function = void(const ref_counted*);
  static auto* next = original<function>("_ZNK3caf11ref_counted5derefEv");
  happens_before(this);
  happens_after(this);
  next(this);
}

void intrusive_ptr_release(actor_control_block* block) {
  using function = void(actor_control_block*);
  static auto* next = original<function>("_ZN3caf21intrusive_ptr_releaseEPNS_19actor_control_blockE");
  happens_before(block);
  happens_after(block);
  next(block);
}

void intrusive_ptr_release_weak(actor_control_block* block) {
  using function = void(actor_control_block*);
  static auto* next = original<function>("_ZN3caf26intrusive_ptr_release_weakEPNS_19actor_control_blockE");
  happens_before(block);
  happens_after(block);
  next(block);
}

}  // namespace caf

#endif
