#include "runtime/signing/material.hpp"

#include "runtime/text/base64.hpp"

namespace cellos {

prevdigest_text::prevdigest_text(const digest& material) {
  static_assert(base64_length(std::tuple_size_v<digest>) == prevdigest_length);
  encode_base64(material, text_.data());
}

digest material_of(const core_attributes& core, std::span<const extension_attribute> signed_extensions) {
  sha256 outer;
  for (const std::string_view value : {core.id, core.source, core.specversion, core.type, core.datacontenttype,
                                       core.dataschema, core.subject, core.time, core.data}) {
    outer.update(sha256::of(value));
  }
  for (const auto& [name, value] : signed_extensions) outer.update(sha256::of(name)).update(sha256::of(value));
  return outer.finish();
}

core_attributes core_of(const event_line& line) {
  return {line.id, line.source,  event_specversion, line.type, event_datacontenttype,
          {},      line.subject, line.time,         line.data};
}

chain_material::chain_material() {
  digests_.fill(sha256::of(std::string_view{}));
  set(specversion, event_specversion);
  set(datacontenttype, event_datacontenttype);
  set(chain_name, "chain");
  set(sequence_name, "sequence");
  set(prevdigest_name, "prevdigest");
}

digest chain_material::material() const {
  static_assert(sizeof(digests_) == 15 * sizeof(digest));
  return sha256::of({digests_.front().data(), sizeof(digests_)});
}

}  // namespace cellos
