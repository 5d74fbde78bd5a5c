#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cellos::json {

/// Appends `text` as a JSON string with RFC 8785 escapes. `text` must be UTF-8; it is not checked again.
void append_string(std::string& out, std::string_view text);

/// Appends digits.
void append_decimal(std::string& out, std::uint64_t number);

/// Writes one compact JSON object. Members appear in the order written; callers write them in RFC 8785 order
/// (code units of the key, ascending), which the schema tests check.
class object_writer {
 public:
  explicit object_writer(std::string& out) : out_(out) { out_ += '{'; }
  ~object_writer() { out_ += '}'; }
  object_writer(const object_writer&) = delete;
  object_writer& operator=(const object_writer&) = delete;

  void text(std::string_view key, std::string_view value);
  /// A number every JSON reader keeps exact; at most 2^53.
  void number(std::string_view key, std::uint64_t value);
  /// A 64-bit count, as a decimal string (protobuf's JSON mapping does the same).
  void count(std::string_view key, std::uint64_t value);
  /// `write(out)` appends the member's value.
  template <class Write>
  void member(std::string_view key, Write&& write) {
    append_key(key);
    write(out_);
  }

 private:
  void append_key(std::string_view key);

  std::string& out_;
  bool first_ = true;
};

/// Writes an object as a value: `members(object_writer)` writes what is in it.
template <class Members>
auto object_of(Members& members) {
  return [&members](std::string& out) {
    object_writer object{out};
    members(object);
  };
}

}  // namespace cellos::json
