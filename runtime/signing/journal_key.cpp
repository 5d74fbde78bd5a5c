#include "runtime/signing/journal_key.hpp"

#include "runtime/signing/sha256.hpp"

namespace cellos {

namespace {

class plain_mac final : public journal_mac {
 public:
  journal_tag tag(const journal_tag& before, std::string_view record) const override {
    return sha256{}.update(before).update(record).finish();
  }
};

}  // namespace

journal_mac_ptr journal_mac_of(const event_sealing_ptr&) { return std::make_shared<const plain_mac>(); }
journal_mac_ptr former_journal_mac_of(const event_sealing_ptr&) { return nullptr; }

}  // namespace cellos
