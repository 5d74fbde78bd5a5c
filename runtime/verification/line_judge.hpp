#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/signing/dsse.hpp"
#include "runtime/signing/key_list.hpp"
#include "runtime/verification/event_line.hpp"
#include "runtime/verification/line_verdict.hpp"

namespace cellos::verification {

class facts_reader;

/// Judges single lines: form, consistency, MATERIAL, signatures. Everything but a line's place among others, so that
/// any number of judges work at once. One judge is for one thread.
class line_judge {
 public:
  /// Without keys no signature is looked at.
  explicit line_judge(const key_list* keys);
  line_judge(const line_judge&) = delete;
  line_judge& operator=(const line_judge&) = delete;
  ~line_judge();

  /// Verdicts given so far may no longer be looked at.
  void begin_block() { kept_.clear(); }

  /// `line` is without its newline and outlives the verdict.
  line_verdict judge(std::string_view line);

 private:
  /// What all lines of a chain have in common.
  struct known_chain;
  struct known_type;

  known_chain& chain_of(std::string_view chain);
  const known_type& type_of(std::string_view type);
  bool place(line_verdict& verdict, const known_chain& chain);
  void check_attribution(line_verdict& verdict, const known_chain& chain) const;
  digest material_of_line(const known_chain& chain, const known_type& type) const;
  void check_signatures(line_verdict& verdict, const known_chain& chain, std::string_view former_key_id,
                        std::string_view key_id);
  void note_signers(line_verdict& verdict, const dsse::envelope& envelope, std::string_view former_key_id,
                    std::string_view key_id) const;

  const key_list* keys_;
  event_line line_;
  any_form_reader any_form_;
  std::unique_ptr<facts_reader> facts_reader_;
  /// Looked up by a hash of the text; what comes later takes the place of what was there.
  std::vector<known_chain> chains_;
  std::vector<known_type> types_;
  std::deque<std::string> kept_;
};

}  // namespace cellos::verification
