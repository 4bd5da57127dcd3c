// init's manifest, and when it starts a program again.
#include "servers/init/manifest.hpp"

#include <doctest/doctest.h>

#include "servers/init/restart_policy.hpp"

TEST_CASE("manifest: entries, comments and defaults") {
    init::Manifest manifest;
    const auto problem = manifest.parse(
        "# comment\n"
        "\n"
        "start console program=c gets=uart,system provides=console essential=yes # more\n"
        "  start test program=t names=a,b restart=never");
    REQUIRE(problem.line == 0);
    REQUIRE(manifest.count() == 2);
    const init::Entry& console = manifest.begin()[0];
    CHECK(console.name == "console");
    CHECK(console.program == "c");
    CHECK(console.provides == "console");
    CHECK(console.gets == (init::kUart | init::kSystem));
    CHECK(console.essential);
    CHECK(console.restart);
    const init::Entry& test = manifest.begin()[1];
    CHECK(test.names == "a,b");
    CHECK(!test.restart);
    CHECK(!test.essential);
}

TEST_CASE("manifest: a mistake is told with its line") {
    init::Manifest manifest;
    CHECK(manifest.parse("\nstop x").line == 2);
    CHECK(manifest.parse("start").line == 1);
    CHECK(manifest.parse("start x").line == 1);
    CHECK(manifest.parse("start x program=").line == 1);
    CHECK(manifest.parse("start x program=y gets=moon").culprit == "gets=moon");
    CHECK(manifest.parse("start x program=y colour=red").culprit == "colour=red");
    CHECK(manifest.parse("start x program=y restart=maybe").line == 1);
}

TEST_CASE("restart policy: later and later, then not at all") {
    init::RestartPolicy policy;
    uint64_t now = 1'000'000'000;
    uint64_t delay = init::RestartPolicy::kFirstDelay;
    for (size_t i = 0; i < init::RestartPolicy::kFailuresMax; ++i) {
        const auto start = policy.after_end(now, true);
        REQUIRE(start.has_value());
        CHECK(*start == now + delay);
        delay *= 2;
        now = *start;
    }
    CHECK(!policy.after_end(now, true).has_value());
}

TEST_CASE("restart policy: failures are forgotten after a while, orderly ends do not count") {
    init::RestartPolicy policy;
    uint64_t now = 1'000'000'000;
    for (int i = 0; i < 100; ++i) {
        const auto start = policy.after_end(now, i % 2 == 0);
        REQUIRE(start.has_value());
        CHECK(*start == now + init::RestartPolicy::kFirstDelay);
        now = *start + init::RestartPolicy::kWindow;
    }
}
