#pragma once

#include <nats/nats.h>

#include <string>

namespace cellos {

/// What libnats hands out, and who takes it back.
template <class Thing, void (*destroy)(Thing*)>
class owned {
 public:
  owned() = default;
  owned(const owned&) = delete;
  owned& operator=(const owned&) = delete;
  ~owned() { destroy(thing_); }
  Thing** operator&() { return &thing_; }  // NOLINT(google-runtime-operator): libnats fills it.
  Thing* get() const { return thing_; }

 private:
  Thing* thing_ = nullptr;
};

using owned_options = owned<natsOptions, natsOptions_Destroy>;
using owned_message = owned<natsMsg, natsMsg_Destroy>;
using owned_stream_info = owned<jsStreamInfo, jsStreamInfo_Destroy>;

/// libnats' own words, of the last failure in this thread.
inline std::string failure_of(natsStatus status) {
  const char* last = nats_GetLastError(nullptr);
  std::string text = natsStatus_GetText(status);
  if (last != nullptr && *last != '\0') text += std::string{": "} + last;
  return text;
}

}  // namespace cellos
