// Files in memory: contents against a plain string, names, and what counts.
#include "servers/tmp/memory_volume.hpp"

#include <doctest/doctest.h>
#include <errno.h>

#include <random>
#include <string>

#include "protocols/files.h"

namespace {

constexpr uint32_t kCreate = KAIROS_FILES_WRITE | KAIROS_FILES_CREATE;
constexpr size_t kChunk = tmp::MemoryFile::kChunk;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

std::string contents(const files::File& file) {
    std::string text(file.size() + 10, '?');
    const size_t length = file.read(0, std::as_writable_bytes(std::span(text)));
    CHECK(length == file.size());
    text.resize(length);
    return text;
}

// As far as tests are concerned: a file is a string.
void write_model(std::string& model, size_t offset, const std::string& text) {
    if (text.empty()) return;
    if (model.size() < offset + text.size()) model.resize(offset + text.size());
    model.replace(offset, text.size(), text);
}

}  // namespace

TEST_CASE("memory volume: random writes and sizes are as a string's") {
    tmp::MemoryVolume volume(4, 64 * kChunk);
    const auto file = volume.open("a", kCreate).file;
    std::string model;
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        const size_t offset = random() % (5 * kChunk);
        if (random() % 4 == 0) {
            CHECK(file->resize(offset) == 0);
            model.resize(offset);
        } else {
            const std::string text(random() % (2 * kChunk), static_cast<char>('a' + round % 26));
            CHECK(file->write(offset, bytes_of(text)) == 0);
            write_model(model, offset, text);
        }
        REQUIRE(contents(*file) == model);
    }
}

TEST_CASE("memory volume: names") {
    tmp::MemoryVolume volume(3, kChunk);
    CHECK(volume.open("a", KAIROS_FILES_READ).status == -ENOENT);
    for (const char* name : {"", ".", "..", "a/b", "/"}) {
        CHECK(volume.open(name, kCreate).status == -EINVAL);
    }
    CHECK(volume.open(std::string(48, 'x'), kCreate).status == -EINVAL);
    CHECK(volume.open(std::string(47, 'x'), kCreate).status == 0);
    CHECK(volume.open("a", kCreate).status == 0);
    CHECK(volume.open("a", kCreate | KAIROS_FILES_EXCLUSIVE).status == -EEXIST);
    CHECK(volume.open("b", kCreate | KAIROS_FILES_EXCLUSIVE).status == 0);
    CHECK(volume.open("c", kCreate).status == -ENOSPC);
    CHECK(volume.remove("b") == 0);
    CHECK(volume.remove("b") == -ENOENT);
    CHECK(volume.open("c", kCreate).status == 0);
}

TEST_CASE("memory volume: a removed file lives as long as it is open") {
    tmp::MemoryVolume volume(4, 2 * kChunk);
    auto old = volume.open("a", kCreate).file;
    const std::string text(2 * kChunk, 'o');
    CHECK(old->write(0, bytes_of(text)) == 0);
    CHECK(volume.remove("a") == 0);
    const auto other = volume.open("a", kCreate).file;
    CHECK(other->number() != old->number());
    CHECK(other->size() == 0);
    CHECK(contents(*old) == text);
    CHECK(other->write(0, bytes_of("x")) == -ENOSPC);
    CHECK(other->size() == 0);
    old.reset();
    CHECK(other->write(0, bytes_of("x")) == 0);
}

TEST_CASE("memory volume: renaming replaces") {
    tmp::MemoryVolume volume(4, 8 * kChunk);
    volume.open("a", kCreate).file->write(0, bytes_of("from a"));
    const auto b = volume.open("b", kCreate).file;
    CHECK(volume.rename("a", "a") == 0);
    CHECK(volume.rename("a", "b") == 0);
    CHECK(!volume.find("a"));
    CHECK(contents(*volume.open("b", KAIROS_FILES_READ).file) == "from a");
    CHECK(contents(*b).empty());
    CHECK(volume.rename("a", "c") == -ENOENT);
    CHECK(volume.rename("b", "x/y") == -EINVAL);
    CHECK(volume.find("b"));
}

TEST_CASE("memory volume: the list survives changes") {
    tmp::MemoryVolume volume(8, kChunk);
    for (const char* name : {"a", "b", "c"}) volume.open(name, kCreate);
    const auto first = volume.next(0);
    REQUIRE(first);
    CHECK(first->name == "a");
    const uint64_t number = first->number;
    volume.remove("a");
    volume.rename("b", "d");
    const auto second = volume.next(number);
    REQUIRE(second);
    CHECK(second->name == "d");
    const auto third = volume.next(second->number);
    REQUIRE(third);
    CHECK(third->name == "c");
    CHECK(!volume.next(third->number));
}

TEST_CASE("memory volume: no more than there is room for") {
    tmp::MemoryVolume volume(4, 4 * kChunk);
    const auto file = volume.open("a", kCreate).file;
    CHECK(file->write(UINT64_MAX - 1, bytes_of("xyz")) == -EFBIG);
    CHECK(file->resize(4 * kChunk + 1) == -EFBIG);
    CHECK(file->resize(4 * kChunk) == 0);  // a hole takes no room
    const auto other = volume.open("b", kCreate).file;
    CHECK(other->write(0, bytes_of(std::string(3 * kChunk, 'b'))) == 0);
    CHECK(file->write(kChunk - 1, bytes_of("xy")) == -ENOSPC);
    CHECK(contents(*file) == std::string(4 * kChunk, '\0'));
    CHECK(file->write(kChunk - 1, bytes_of("x")) == 0);
    volume.open("b", kCreate | KAIROS_FILES_TRUNCATE);
    CHECK(file->write(kChunk, bytes_of("y")) == 0);
}
