#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/forge/evidence_image.hpp"

/// What can be done to lines without a key: digests are public arithmetic, signatures are not.
namespace cellos::forge {

/// The first member or attribute of this name whose value is a text gets another; nothing where there is none.
void set_text(std::string& line, std::string_view name, std::string_view value);
std::string text_of(const std::string& line, std::string_view name);

bool is_signed(const std::string& line);
void strip_signature(std::string& line);
/// The `dssematerial` of `from`, in place of the line's own if it has one.
void copy_signature(std::string& line, const std::string& from);

/// As the next event's `prevdigest` has to be.
std::string digest_text_of(const std::string& line);

/// Says that `line` is the event with this number of `place`'s chain.
void move_to(log_line& line, const log_line& place, std::uint64_t sequence);
/// Right behind `before`, in its chain and its segment.
log_line linked_behind(const log_line& before, log_line content);

using line_list = std::vector<log_line>;

std::vector<std::string> chains_of(const line_list& lines);
std::vector<std::string> runs_of(const line_list& lines);
/// Runs with `run.v1.ended`.
std::vector<std::string> ended_runs_of(const line_list& lines);
/// Indices of the chain's lines, in the order of the log.
std::vector<std::size_t> lines_of_chain(const line_list& lines, std::string_view chain);
std::vector<std::size_t> lines_of_type(const line_list& lines, std::string_view type);
/// The host's own chain that was written to last.
std::optional<std::string> host_chain_of(const line_list& lines);

/// Every line of the chain from the `n`th on is numbered and linked as the one before it demands.
void relink(line_list& lines, std::string_view chain, std::size_t n);

void erase_indices(line_list& lines, const std::vector<std::size_t>& ascending);

}  // namespace cellos::forge
