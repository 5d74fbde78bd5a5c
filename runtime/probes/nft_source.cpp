#include "runtime/probes/nft_source.hpp"

#include <nftables/libnftables.h>

#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "messages/escaped_text.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/probes/network_namespace.hpp"
#include "runtime/probes/source_file.hpp"

namespace cellos {

namespace {

/// Some 20,000 rules. Chosen here.
constexpr std::size_t longest_document = std::size_t{16} << 20;

struct free_context {
  void operator()(nft_ctx* context) const { ::nft_ctx_free(context); }
};
using nft_context = std::unique_ptr<nft_ctx, free_context>;

probe_error refusal_of(std::string_view words, int system_error) {
  const bool denied = system_error == EPERM || words.find("Operation not permitted") != words.npos;
  return {denied ? probe_error_kind::permission_denied : probe_error_kind::io, "nftables: " + escaped(words, 200, "'")};
}

probe_result<nft_ruleset> read_here() {
  // libnftables would end this process if it could not open one.
  if (!file_descriptor{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)}) {
    return system_refusal("nftables", errno);
  }
  const nft_context context{::nft_ctx_new(NFT_CTX_DEFAULT)};
  if (!context) return probe_error{probe_error_kind::io, "nftables: no context"};
  ::nft_ctx_output_set_flags(context.get(), NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_TERSE);
  if (::nft_ctx_buffer_output(context.get()) != 0 || ::nft_ctx_buffer_error(context.get()) != 0) {
    return probe_error{probe_error_kind::io, "nftables: no memory"};
  }
  errno = 0;
  if (::nft_run_cmd_from_buffer(context.get(), "list ruleset") != 0) {
    return refusal_of(::nft_ctx_get_error_buffer(context.get()), errno);
  }
  const std::string_view document{::nft_ctx_get_output_buffer(context.get())};
  if (document.size() > longest_document) {
    return probe_error{probe_error_kind::malformed_source, "nftables: the ruleset is too long"};
  }
  auto ruleset = parse_nft_ruleset(document);
  if (!ruleset) return probe_error{probe_error_kind::malformed_source, "nftables: the ruleset has another form"};
  return *std::move(ruleset);
}

}  // namespace

probe_result<nft_ruleset> read_nft_ruleset(const std::string& namespace_path) {
  std::optional<probe_result<nft_ruleset>> ruleset;
  if (auto error = in_network_namespace(namespace_path, [&] { ruleset.emplace(read_here()); }))
    return *std::move(error);
  return *std::move(ruleset);
}

}  // namespace cellos
