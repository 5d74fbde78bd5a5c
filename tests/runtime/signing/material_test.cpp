#include "runtime/signing/material.hpp"

#include <array>

#define CAF_SUITE material
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

std::string text_of(const digest& material) { return std::string{prevdigest_text{material}.view()}; }

// What a chain's first two events are, and their MATERIAL as another implementation (Python's hashlib) computed it.
constexpr std::string_view chain_id = "host-a/cell-1/run-7/1767225600000";
constexpr std::string_view first_sequence = "00000000000000000001";
constexpr std::string_view second_sequence = "00000000000000000002";
constexpr std::string_view zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
constexpr std::string_view first_material = "XwPV9Z1CF6DX9iPMBicwxXdN+vXnQmzYwURkt624ojg=";
constexpr std::string_view second_material = "f4s7a6RYm+gpNiDbUR2UQAxbai0lg2KfO6/oeVJjnA0=";

core_attributes event(std::string_view id, std::string_view type, std::string_view time, std::string_view data) {
  core_attributes core;
  core.id = id;
  core.source = "/cellos/host/host-a";
  core.specversion = "1.0";
  core.type = type;
  core.datacontenttype = "application/json";
  core.subject = "urn:cellos:cell:cell-1";
  core.time = time;
  core.data = data;
  return core;
}

const core_attributes first_event = event("host-a/cell-1/run-7/1767225600000/00000000000000000001",
                                          "dev.cellos.events.cell.observability.run.v1.started",
                                          "2026-01-01T00:00:01.000000000Z", R"({"cellId":"cell-1"})");
const core_attributes second_event = event("host-a/cell-1/run-7/1767225600000/00000000000000000002",
                                           "dev.cellos.events.cell.observability.guest.v1.process_spawned",
                                           "2026-01-01T00:00:02.000000000Z", R"({"guestComm":"café"})");

std::array<extension_attribute, 3> extensions(std::string_view sequence, std::string_view prevdigest) {
  return {extension_attribute{"chain", chain_id}, {"sequence", sequence}, {"prevdigest", prevdigest}};
}

}  // namespace

CAF_TEST(material_of_an_event_without_extensions_follows_the_formula) {
  core_attributes core;
  core.id = "1";
  core.source = "example/uri";
  core.specversion = "1.0";
  core.type = "example.type";
  core.datacontenttype = "application/json";
  core.data = R"({"hello":"world"})";
  CAF_CHECK_EQUAL(text_of(material_of(core, {})), "JdKJ23tInJraYkEtWrqkfEKfshmH+Jl0aRefLhu/vmA=");
}

CAF_TEST(the_pinned_events_have_the_pinned_materials) {
  CAF_CHECK_EQUAL(text_of(no_event_before), zeros);
  CAF_CHECK_EQUAL(text_of(material_of(first_event, extensions(first_sequence, zeros))), first_material);
  CAF_CHECK_EQUAL(text_of(material_of(second_event, extensions(second_sequence, first_material))), second_material);
}

CAF_TEST(what_a_chain_hashes_once_gives_the_same) {
  chain_material events;
  events.set(chain_material::source, second_event.source);
  events.set(chain_material::subject, second_event.subject);
  events.set(chain_material::chain, chain_id);
  events.set(chain_material::id, second_event.id);
  events.set(chain_material::type, sha256::of(second_event.type));
  events.set(chain_material::time, second_event.time);
  events.set(chain_material::data, second_event.data);
  events.set(chain_material::sequence, second_sequence);
  events.set(chain_material::prevdigest, first_material);
  CAF_CHECK_EQUAL(text_of(events.material()), second_material);
}

CAF_TEST(every_attribute_and_its_place_count) {
  const digest whole = material_of(second_event, extensions(second_sequence, first_material));
  for (std::string_view core_attributes::*attribute :
       {&core_attributes::id, &core_attributes::source, &core_attributes::specversion, &core_attributes::type,
        &core_attributes::datacontenttype, &core_attributes::dataschema, &core_attributes::subject,
        &core_attributes::time, &core_attributes::data}) {
    core_attributes other = second_event;
    other.*attribute = "other";
    CAF_CHECK(material_of(other, extensions(second_sequence, first_material)) != whole);
  }
  CAF_CHECK(material_of(second_event, extensions(first_sequence, first_material)) != whole);
  CAF_CHECK(material_of(second_event, extensions(second_sequence, zeros)) != whole);
  auto swapped = extensions(second_sequence, first_material);
  std::swap(swapped[0], swapped[1]);
  CAF_CHECK(material_of(second_event, swapped) != whole);
}
