#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/lines/logged_event.hpp"
#include "runtime/signing/dsse.hpp"
#include "runtime/signing/key_list.hpp"
#include "runtime/verification/line_result.hpp"

namespace cellos::verification {

class facts_reader;

/// Verifies single lines: form, consistency, MATERIAL, signatures. Everything but a line's place among others, so that
/// any number of verifiers work at once. One verifier is for one thread.
class line_verifier {
 public:
  /// Without keys no signature is looked at.
  explicit line_verifier(const key_list* keys);
  line_verifier(const line_verifier&) = delete;
  line_verifier& operator=(const line_verifier&) = delete;
  ~line_verifier();

  /// Results given so far may no longer be looked at.
  void begin_block() { kept_.clear(); }

  /// `line` is without its newline and outlives the result.
  line_result verify(std::string_view line);

 private:
  /// What all lines of a chain have in common.
  struct known_chain;
  struct known_type;

  known_chain& chain_of(std::string_view chain);
  const known_type& type_of(std::string_view type);
  bool place(line_result& result, const known_chain& chain);
  void check_attribution(line_result& result, const known_chain& chain) const;
  digest material_of_line(const known_chain& chain, const known_type& type) const;
  void check_signatures(line_result& result, const known_chain& chain, std::string_view former_key_id,
                        std::string_view key_id);
  void note_signers(line_result& result, const dsse::envelope& envelope, std::string_view former_key_id,
                    std::string_view key_id) const;

  const key_list* keys_;
  logged_event line_;
  generic_event_reader generic_;
  std::unique_ptr<facts_reader> facts_reader_;
  /// Looked up by a hash of the text; what comes later takes the place of what was there.
  std::vector<known_chain> chains_;
  std::vector<known_type> types_;
  std::deque<std::string> kept_;
};

}  // namespace cellos::verification
