#include "runtime/collector/collector_store.hpp"

#include <atomic>
#include <cerrno>
#include <string>
#include <vector>

#include "runtime/collector/commit_queue.hpp"
#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE collector_store
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

struct fixture {
  memory_directory dir;
  faulty_file_system files;
  std::unique_ptr<collector_store> store = collector_store::open(dir.path(), {2, 2}, files).store;
  node_log_id log{1, 2, 3};
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(collector_store_tests, fixture)

CAF_TEST(names_from_a_peer_become_paths_only_where_they_are_identifiers) {
  for (const char* const name : {"host-a", "a.b:c_d", "0"}) CAF_CHECK(is_host_directory_name(name));
  for (const std::string& name : {std::string{}, std::string{"."}, std::string{".."}, std::string{"../x"},
                                  std::string{"a/b"}, std::string{".lock"}, std::string{"a\0b", 3}, std::string{"a b"},
                                  std::string(129, 'a'), std::string{"\xc3\xa4"}}) {
    CAF_CHECK(!is_host_directory_name(name));
    CAF_CHECK(store->copy_of(name, log).refusal == node_refusal::host_mismatch);
  }
  std::error_code failure;
  CAF_CHECK(store->hosts(failure).empty());
}

CAF_TEST(names_of_copies_and_pieces_have_one_spelling) {
  const copy_name name{{0, 1, 0xab, 0xff}, 3};
  CAF_CHECK_EQUAL(to_string(name), "0001abff000000000000000000000000.fork-3");
  CAF_CHECK(parse_copy_name(to_string(name)) == name);
  for (const char* const text : {"", "0001abff", "0001ABFF000000000000000000000000",
                                 "0001abff000000000000000000000000.fork-0", "0001abff000000000000000000000000.fork-03",
                                 "0001abff000000000000000000000000.fork-", "0001abff000000000000000000000000x"}) {
    CAF_CHECK(!parse_copy_name(text));
  }
  CAF_CHECK_EQUAL(piece_file_name({7, 4711}), "evidence-00000000000000000007-00000000000000004711.jsonl");
  CAF_CHECK(parse_piece_file_name(piece_file_name({7, 4711})) == (segment_position{7, 4711}));
  CAF_CHECK(!parse_piece_file_name("evidence-00000000000000000007.jsonl"));
}

CAF_TEST(a_second_collector_does_not_get_the_directory) {
  const auto second = collector_store::open(dir.path(), {}, files);
  CAF_CHECK(!second.store);
  CAF_CHECK(second.refusal.find("cannot be claimed") != std::string::npos);
}

CAF_TEST(one_log_is_one_copy_and_hosts_are_listed) {
  const auto first = store->copy_of("host-b", log);
  CAF_REQUIRE(first.copy);
  CAF_CHECK(store->copy_of("host-b", log).copy == first.copy);
  CAF_CHECK(store->copy_of("host-a", log).copy != first.copy);
  std::error_code failure;
  CAF_CHECK(store->hosts(failure) == (std::vector<std::string>{"host-a", "host-b"}));
}

CAF_TEST(a_fork_is_kept_beside_and_is_the_copy_from_then_on) {
  const auto first = store->copy_of("host-a", log);
  // Nothing is there yet that it could disagree with.
  CAF_CHECK(store->fork_of("host-a", log).copy == first.copy);
  (void)first.copy->append({}, {1, 0}, "one\n");
  const auto fork = store->fork_of("host-a", log);
  CAF_REQUIRE(fork.copy);
  CAF_CHECK_EQUAL(fork.forks, 1u);
  (void)fork.copy->append({}, {1, 0}, "other\n");
  CAF_CHECK(store->copy_of("host-a", log).copy == fork.copy);
  const auto name = to_string(copy_name{log, 0});
  CAF_CHECK_EQUAL(content_of(dir / ("host-a/" + name) / piece_file_name({1, 0})), "one\n");
  CAF_CHECK_EQUAL(content_of(dir / ("host-a/" + name + ".fork-1") / piece_file_name({1, 0})), "other\n");
  store.reset();
  store = collector_store::open(dir.path(), {2, 2}, files).store;
  const auto again = store->copy_of("host-a", log);
  CAF_CHECK_EQUAL(again.forks, 1u);
  CAF_CHECK(again.copy->end_position() == (segment_position{1, 6}));
}

CAF_TEST(a_host_cannot_have_more_copies_than_the_collector_keeps) {
  for (std::uint32_t forks = 0; forks <= 2; ++forks) {
    const auto copy = store->fork_of("host-a", log).copy;
    CAF_REQUIRE(copy);
    (void)copy->append({}, {1, 0}, "one\n");
  }
  CAF_CHECK(store->fork_of("host-a", log).refusal == node_refusal::too_many_copies);
  CAF_CHECK(store->copy_of("host-a", {2}).copy);
  CAF_CHECK(store->copy_of("host-a", {3}).refusal == node_refusal::too_many_copies);
  CAF_CHECK(store->copy_of("host-b", {3}).copy);
}

CAF_TEST(a_directory_that_cannot_be_made_is_a_failure_of_this_host_alone) {
  files.fault = [](file_call call) { return call == file_call::mkdir ? ENOSPC : 0; };
  const auto refused = store->copy_of("host-a", log);
  CAF_CHECK(refused.refusal == node_refusal::storage_failed);
  files.fault = nullptr;
  CAF_CHECK(store->copy_of("host-a", log).copy);
}

CAF_TEST(one_sync_answers_all_that_waited) {
  commit_queue queue{*store};
  std::vector<bool> answers;
  for (const char* const host : {"host-a", "host-b"}) {
    const auto copy = store->copy_of(host, log).copy;
    const auto taken = copy->append({}, {1, 0}, "one\n");
    queue.add(copy, taken.generation, 4, [&answers](bool durable) { answers.push_back(durable); });
  }
  const auto syncs = files.data_syncs.load();
  CAF_CHECK(!queue.commit());
  CAF_CHECK(!queue.commit());
  CAF_CHECK_EQUAL(files.data_syncs - syncs, 1u);
  CAF_CHECK(answers == (std::vector<bool>{true, true}));
}

CAF_TEST(after_a_failed_sync_every_copy_is_what_it_was_at_the_last_good_one) {
  commit_queue queue{*store};
  std::vector<bool> answers;
  const auto note = [&answers](bool durable) { answers.push_back(durable); };
  const auto first = store->copy_of("host-a", log).copy;
  const auto second = store->copy_of("host-b", log).copy;
  queue.add(first, first->append({}, {1, 0}, "one\n").generation, 4, note);
  (void)queue.commit();
  queue.add(first, first->append({1, 4}, {1, 4}, "two\n").generation, 4, note);
  // Written, and its answer not yet asked for.
  const auto written = second->append({}, {1, 0}, "other\n");
  files.fault = [](file_call call) { return call == file_call::syncfs ? EIO : 0; };
  CAF_CHECK(queue.commit());
  files.fault = nullptr;
  queue.add(second, written.generation, 6, note);
  CAF_CHECK(!queue.commit());
  CAF_CHECK(answers == (std::vector<bool>{true, false, false}));
  CAF_CHECK(first->end_position() == (segment_position{1, 4}));
  CAF_CHECK(second->is_empty());
}

CAF_TEST(the_committer_answers_and_its_end_loses_nothing) {
  commit_queue queue{*store};
  std::atomic<int> durable = 0;
  const auto copy = store->copy_of("host-a", log).copy;
  {
    committer thread{queue};
    for (int i = 0; i < 100; ++i) {
      const auto end = copy->end_position();
      const auto from = end.segment == 0 ? segment_position{1, 0} : end;
      queue.add(copy, copy->append(end, from, "one\n").generation, 4, [&durable](bool is) { durable += is ? 1 : 0; });
    }
  }
  CAF_CHECK_EQUAL(durable.load(), 100);
  CAF_CHECK(copy->durable_end() == (segment_position{1, 400}));
}

CAF_TEST_FIXTURE_SCOPE_END()
