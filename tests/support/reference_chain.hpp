#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/signing/key_list.hpp"
#include "runtime/signing/sha256.hpp"
#include "runtime/signing/signing_key.hpp"

namespace cellos::test {

/// Writes one chain's lines as docs/evidence.md says, and not as the daemon's code does.
class reference_chain {
 public:
  /// `key` null: lines carry neither digests nor signatures. Of the host's own chain `cell` and `run` are empty.
  reference_chain(std::string host, std::string cell, std::string run, const std::string& epoch,
                  const signing_key* key);

  /// One line with its newline. `type` is without the common prefix.
  std::string line(std::string_view type, std::string_view data, bool sign);
  /// From here on; the line that says so is signed by both.
  std::string change_key(const signing_key& key);
  /// From here on, without a word.
  void sign_with(const signing_key& key) { key_ = &key; }

  const std::string& chain() const { return chain_; }
  const std::string& host() const { return host_; }
  std::uint64_t last_sequence() const { return sequence_; }
  std::string last_digest() const;

  std::string declaration(bool sign, std::string_view comm = "bash");
  std::string started();
  std::string ended(std::uint64_t appended);
  std::string checkpoint();
  std::string silenced();
  std::string resumed(bool sign);
  std::string dropped(bool sign, std::string_view reason, std::uint64_t frames);

  /// Of the host's own chain.
  std::string host_started();
  std::string host_stopped();
  std::string run_opened(const std::string& chain);
  std::string run_closed(const reference_chain& run);

 private:
  std::string attribution(std::string_view before, std::string_view after) const;
  std::string line_signed_by(std::string_view type, std::string_view data,
                             const std::vector<const signing_key*>& signers);

  std::string host_;
  std::string cell_;
  std::string run_;
  std::string chain_;
  const signing_key* key_;
  std::uint64_t sequence_ = 0;
  digest last_{};
};

/// What a sample log is made of.
struct sample {
  const signing_key* key = nullptr;
  /// One run of the first host changes to it; null: none does.
  const signing_key* next_key = nullptr;
  bool sign_every_event = false;
  std::uint64_t hosts = 2;
  std::uint64_t runs_of_each = 3;
  std::uint64_t declarations_of_each = 10;
  std::uint64_t checkpoint_events = 8;
  /// The last run of each host stays open, and so does the host.
  bool finished = true;
};

/// Lines with their newlines: hosts that start, runs whose lines alternate, everything ended unless asked otherwise.
std::vector<std::string> sample_log(const sample& what);

/// Holds the public half of every key, under its id.
key_list keys_of(const std::vector<const signing_key*>& keys);

}  // namespace cellos::test
