#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/signing/material.hpp"

namespace cellos {

/// One line of a log, taken apart. The texts are the values, without JSON's escapes; they live in the line, or in the
/// reader that read it until it reads another one.
struct logged_event {
  core_attributes core;
  std::string_view chain;
  std::string_view sequence;
  /// Empty where absent.
  std::string_view prevdigest;
  std::string_view signedextattrs;
  std::string_view dssematerial;

  bool is_sealed() const { return !prevdigest.empty(); }

  /// Nothing in it is covered by anything but itself: the first attribute that `signedextattrs` does not name, if any.
  std::string_view uncovered;
  /// Has exactly the form our own lines have.
  bool canonical_line = false;
  /// What `signedextattrs` names, in its order; empty for a canonical line, where it names what all events name.
  std::vector<extension_attribute> signed_extensions;
};

/// Reads a canonical line, with digests or without: see parse_event_line(). False for any other.
bool read_canonical_line(std::string_view line, logged_event& into);

/// MATERIAL, whatever the form.
digest material_of(const logged_event& event);

/// Reads a CloudEvent as any producer or JSON tool may write it: members in any order, with white space and escapes,
/// `data` in any serialisation (its canonical one is what counts) or as `data_base64`.
class generic_event_reader {
 public:
  generic_event_reader();
  generic_event_reader(const generic_event_reader&) = delete;
  generic_event_reader& operator=(const generic_event_reader&) = delete;
  ~generic_event_reader();

  /// The alternative is why the line is no event in a chain, for a person. `into` is then of no use.
  std::optional<std::string> read(std::string_view line, logged_event& into);

 private:
  struct scratch;
  std::unique_ptr<scratch> scratch_;
};

}  // namespace cellos
