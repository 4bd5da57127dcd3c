// Files in memory; see the header.
#include "servers/tmp/memory_volume.hpp"

#include <errno.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "servers/common/open_flags.hpp"

namespace tmp {

using files::Entry;

size_t MemoryFile::read(uint64_t offset, std::span<std::byte> out) const {
    if (offset >= size_) return 0;
    const size_t length = std::min<uint64_t>(out.size(), size_ - offset);
    for (size_t done = 0; done < length;) {
        const uint64_t at = offset + done;
        const size_t within = at % kChunk;
        const size_t piece = std::min(length - done, kChunk - within);
        const Chunk* chunk = chunks_[at / kChunk].get();
        if (chunk != nullptr) {
            std::memcpy(&out[done], chunk->data() + within, piece);
        } else {
            std::memset(&out[done], 0, piece);
        }
        done += piece;
    }
    return length;
}

int MemoryFile::write(uint64_t offset, std::span<const std::byte> bytes) {
    if (bytes.empty()) return 0;
    // A file that is nothing but a hole is bounded as if it were not: its table takes memory too.
    const uint64_t largest = room_->chunks_max * kChunk;
    if (offset > largest || bytes.size() > largest - offset) return -EFBIG;
    const uint64_t end = offset + bytes.size();
    const int reserved = reserve(offset, end);
    if (reserved < 0) return reserved;
    for (size_t done = 0; done < bytes.size();) {
        const uint64_t at = offset + done;
        const size_t within = at % kChunk;
        const size_t piece = std::min(bytes.size() - done, kChunk - within);
        std::memcpy(chunks_[at / kChunk]->data() + within, &bytes[done], piece);
        done += piece;
    }
    size_ = std::max(size_, end);
    return 0;
}

// Makes the chunks from `begin` to `end`, or changes nothing.
int MemoryFile::reserve(uint64_t begin, uint64_t end) {
    const size_t first = begin / kChunk;
    const size_t last = (end + kChunk - 1) / kChunk;
    std::vector<std::unique_ptr<Chunk>> made;
    for (size_t i = first; i < last; ++i) {
        if (i < chunks_.size() && chunks_[i]) continue;
        if (made.size() == room_->chunks_max - room_->chunks) return -ENOSPC;
        made.emplace_back(new (std::nothrow) Chunk{});
        if (!made.back()) return -ENOSPC;
    }
    room_->chunks += made.size();
    if (chunks_.size() < last) chunks_.resize(last);
    auto next = made.begin();
    for (size_t i = first; i < last; ++i) {
        if (!chunks_[i]) chunks_[i] = std::move(*next++);
    }
    return 0;
}

int MemoryFile::resize(uint64_t size) {
    if (size > room_->chunks_max * kChunk) return -EFBIG;
    const size_t needed = (size + kChunk - 1) / kChunk;
    if (size < size_) {
        release_from(needed);
        const size_t within = size % kChunk;
        if (within != 0 && chunks_[needed - 1]) {
            std::memset(chunks_[needed - 1]->data() + within, 0, kChunk - within);
        }
    } else if (chunks_.size() < needed) {
        chunks_.resize(needed);
    }
    size_ = size;
    return 0;
}

void MemoryFile::release_from(size_t chunk) {
    for (size_t i = chunk; i < chunks_.size(); ++i) {
        if (chunks_[i]) --room_->chunks;
    }
    if (chunk < chunks_.size()) chunks_.resize(chunk);
}

bool MemoryVolume::is_name(std::string_view name) {
    return !name.empty() && name.size() <= kNameMax && name != "." && name != ".." &&
           name.find('/') == std::string_view::npos;
}

// Where the name is in names_; its size if it is not there.
size_t MemoryVolume::place(std::string_view name) const {
    return std::ranges::find(names_, name, &Named::name) - names_.begin();
}

files::Opened MemoryVolume::open(std::string_view name, uint32_t flags) {
    if (!is_name(name)) return {-EINVAL, nullptr};
    const size_t at = place(name);
    if (at < names_.size()) {
        if (files::has(flags, KAIROS_FILES_EXCLUSIVE)) return {-EEXIST, nullptr};
        if (files::has(flags, KAIROS_FILES_TRUNCATE)) names_[at].file->resize(0);
        return {0, names_[at].file};
    }
    if (!files::has(flags, KAIROS_FILES_CREATE)) return {-ENOENT, nullptr};
    if (names_.size() == files_max_) return {-ENOSPC, nullptr};
    auto file = std::make_shared<MemoryFile>(++last_number_, room_);
    names_.push_back({std::string(name), file});
    return {0, std::move(file)};
}

std::optional<Entry> MemoryVolume::find(std::string_view name) const {
    const size_t at = place(name);
    if (at == names_.size()) return std::nullopt;
    return Entry{names_[at].file->number(), names_[at].file->size(), names_[at].name};
}

std::optional<Entry> MemoryVolume::next(uint64_t number) const {
    const auto at = std::ranges::upper_bound(names_, number, {},
                                             [](const Named& one) { return one.file->number(); });
    if (at == names_.end()) return std::nullopt;
    return Entry{at->file->number(), at->file->size(), at->name};
}

int MemoryVolume::remove(std::string_view name) {
    const size_t at = place(name);
    if (at == names_.size()) return -ENOENT;
    names_.erase(names_.begin() + static_cast<ptrdiff_t>(at));
    return 0;
}

int MemoryVolume::rename(std::string_view from, std::string_view to) {
    if (!is_name(to)) return -EINVAL;
    const size_t at = place(from);
    if (at == names_.size()) return -ENOENT;
    if (from == to) return 0;
    const size_t replaced = place(to);
    names_[at].name = to;
    if (replaced < names_.size()) names_.erase(names_.begin() + static_cast<ptrdiff_t>(replaced));
    return 0;
}

}  // namespace tmp
