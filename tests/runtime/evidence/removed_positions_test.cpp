#define CAF_SUITE removed_positions
#include "runtime/evidence/removed_positions.hpp"

#include <algorithm>
#include <sstream>

#include "caf/test/dsl.hpp"
#include "runtime/evidence/retention_file.hpp"
#include "runtime/signing/journal_key.hpp"
#include "runtime/signing/signing_key.hpp"
#include "tests/support/reference_chain.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

struct fixture {
  signing_key key = signing_key::generate(signing_algorithm::ed25519, "k");
  open_chains open;
  removed_positions removed;

  void take(const std::string& lines) {
    std::istringstream in{lines};
    for (std::string line; std::getline(in, line);) removed.take(line);
  }

  static chain_head head(const reference_chain& run, std::uint64_t next, bool ended = false) {
    chain_head made;
    made.position.chain = run.chain();
    made.position.next_event = next;
    made.run = run_state{std::make_shared<const host_stamp>(), {}, false, false, ended};
    return made;
  }

  removed_chain listed(const std::string& chain) {
    for (const removed_chain& each : removed.listing(open)) {
      if (each.chain == chain) return each;
    }
    CAF_FAIL("not listed: " << chain);
    return {};
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(removed_positions_tests, fixture)

CAF_TEST(each_chain_is_listed_with_its_last_removed_event) {
  reference_chain one{"h", "c1", "r", "1", &key};
  reference_chain two{"h", "c2", "r", "1", nullptr};
  take(one.started() + two.started() + one.declaration(false) + two.declaration(false) + one.declaration(true));
  CAF_CHECK_EQUAL(removed.listing(open).size(), 2u);
  CAF_CHECK_EQUAL(listed(one.chain()).last_sequence, 3u);
  CAF_CHECK_EQUAL(listed(one.chain()).last_digest, one.last_digest());
  CAF_CHECK_EQUAL(listed(two.chain()).last_sequence, 2u);
  CAF_CHECK_EQUAL(listed(two.chain()).last_digest, "");
  CAF_CHECK(!listed(one.chain()).open);
}

CAF_TEST(what_was_removed_before_is_listed_again_while_the_chain_lasts) {
  reference_chain run{"h", "c1", "r", "2", &key};
  take(run.started() + run.declaration(false));
  (void)removed.listing(open);
  removed_positions later{removed.chains()};
  const auto again = later.listing(open);
  CAF_REQUIRE_EQUAL(again.size(), 1u);
  CAF_CHECK_EQUAL(again[0].last_sequence, 2u);
  CAF_CHECK_EQUAL(again[0].last_digest, run.last_digest());
}

CAF_TEST(how_a_chain_said_it_is_signed_outlives_its_first_event) {
  reference_chain run{"h", "c1", "r", "3", &key};
  reference_chain other{"h", "c2", "r", "3", &key};
  take(run.line("run.v1.started", R"({"signing":{"events":"7","intervalNs":"5","mode":"checkpoint"}})", true));
  take(other.line("run.v1.started", "{}", true) +
       other.line("run.v1.resumed", R"({"signing":{"mode":"event"}})", true));
  (void)removed.listing(open);
  const auto state = retention_state{2, removed.chains()};
  const journal_mac_ptr mac = journal_mac_of(nullptr);
  const auto read = parse_retention_state(to_text(state, *mac), *mac);
  CAF_REQUIRE(read.has_value());
  CAF_CHECK(*read == state);
  const auto listing = removed_positions{read->chains}.listing(open);
  const auto said_of = [&](const reference_chain& chain) {
    return std::ranges::find(listing, chain.chain(), &removed_chain::chain)->signing;
  };
  const signing_statement said{signing_statement::kind::checkpoint, 7, std::chrono::nanoseconds{5}};
  CAF_REQUIRE(said_of(run).has_value());
  CAF_CHECK(*said_of(run) == said);
  CAF_MESSAGE("only a chain's first event says so of the whole chain");
  CAF_CHECK(!said_of(other).has_value());
}

CAF_TEST(a_chain_is_forgotten_with_the_line_that_says_it_ended) {
  reference_chain host{"h", "", "", "1", &key};
  reference_chain run{"h", "c1", "r", "2", &key};
  take(host.host_started() + host.run_opened(run.chain()) + run.started() + run.ended(0));
  (void)removed.listing(open);
  removed.forget_ended();
  CAF_CHECK_EQUAL(removed.listing(open).size(), 2u);
  take(host.run_closed(run));
  // Said once more, by what stays when that line is gone.
  CAF_CHECK_EQUAL(listed(run.chain()).last_sequence, 2u);
  removed.forget_ended();
  CAF_CHECK_EQUAL(removed.listing(open).size(), 1u);
  CAF_CHECK_EQUAL(listed(host.chain()).last_sequence, 3u);
}

CAF_TEST(another_host_has_no_last_word) {
  reference_chain stranger{"other", "", "", "1", &key};
  reference_chain run{"h", "c1", "r", "2", &key};
  take(run.started() + stranger.run_closed(run));
  removed.forget_ended();
  CAF_CHECK_EQUAL(listed(run.chain()).last_sequence, 1u);
}

CAF_TEST(an_open_run_of_which_all_is_removed_comes_with_its_state) {
  reference_chain run{"h", "c1", "r", "2", &key};
  take(run.started() + run.declaration(false));
  const std::vector<chain_head> all_removed{head(run, 3)};
  open.take(all_removed);
  CAF_CHECK(listed(run.chain()).open);
  CAF_CHECK(listed(run.chain()).run.has_value());
  const std::vector<chain_head> goes_on{head(run, 4)};
  open.take(goes_on);
  CAF_CHECK(listed(run.chain()).open);
  CAF_CHECK(!listed(run.chain()).run);
  const std::vector<chain_head> ended{head(run, 5, true)};
  open.take(ended);
  CAF_CHECK(!listed(run.chain()).open);
}

CAF_TEST(lines_in_another_form_count_and_lines_of_none_do_not) {
  reference_chain run{"h", "c1", "r", "2", &key};
  std::string line = run.started();
  line.insert(1, " ");
  line.insert(line.size() - 1, "\r");
  take(line + "{}\n\nrubbish\n");
  CAF_CHECK_EQUAL(removed.listing(open).size(), 1u);
  CAF_CHECK_EQUAL(listed(run.chain()).last_digest, run.last_digest());
}

CAF_TEST_FIXTURE_SCOPE_END()
