// An intrusive ordered tree (a treap): elements embed a TreeNode and are ordered by Key, with
// duplicates allowed and kept in insertion order. Priorities come from a generator that user mode
// cannot see or guess, so no sequence of keys makes it deep: all operations take O(log n) expected
// steps, none recurses and none allocates. Guarded by the lock of whoever owns the tree.
#pragma once

#include <cstdint>

#include "base/assert.h"
#include "base/container_of.h"

struct TreeNode {
    TreeNode* parent = nullptr;
    TreeNode* left = nullptr;
    TreeNode* right = nullptr;
    uint32_t priority = 0;  // heap order: a parent's is not below its children's
    bool linked = false;
};

// The part that does not depend on the element's type.
class TreeBase {
  public:
    TreeBase() = default;
    TreeBase(const TreeBase&) = delete;
    TreeBase& operator=(const TreeBase&) = delete;
    bool empty() const { return root_ == nullptr; }
    // Once, at boot, before user mode can choose any key.
    static void set_randomness(uint64_t bits) { increment_ = static_cast<uint32_t>(bits) | 1; }

  protected:
    void link(TreeNode& node, TreeNode* parent, TreeNode** place);
    void unlink(TreeNode& node);
    static TreeNode* next(TreeNode& node);
    static TreeNode* previous(TreeNode& node);

    TreeNode* root_ = nullptr;

  private:
    TreeNode*& place_of(TreeNode& node);
    void rotate_up(TreeNode& node);

    // Of the priorities: a generator with a period of 2^32, good in its high bits.
    uint32_t seed_ = 0;
    static inline uint32_t increment_ = 1'013'904'223;  // odd
};

// KeyOf is a stateless callable: const T& -> a totally ordered key.
template <typename T, TreeNode T::*kNode, typename KeyOf>
class Tree : public TreeBase {
  public:
    using Key = decltype(KeyOf{}(*static_cast<const T*>(nullptr)));

    void insert(T& item) {
        TreeNode* parent = nullptr;
        TreeNode** place = &root_;
        while (*place != nullptr) {
            parent = *place;
            place = KeyOf{}(item) < KeyOf{}(*element(parent)) ? &parent->left : &parent->right;
        }
        link(item.*kNode, parent, place);
    }
    void remove(T& item) { unlink(item.*kNode); }
    static bool linked(const T& item) { return (item.*kNode).linked; }

    T* first() const {
        TreeNode* node = root_;
        while (node != nullptr && node->left != nullptr) node = node->left;
        return node == nullptr ? nullptr : element(node);
    }
    T* after(T& item) const { return element_or_null(next(item.*kNode)); }
    T* before(T& item) const { return element_or_null(previous(item.*kNode)); }
    // The first element whose key is not below `key`.
    T* lower_bound(const Key& key) const {
        TreeNode* best = nullptr;
        for (TreeNode* node = root_; node != nullptr;) {
            if (KeyOf{}(*element(node)) < key) {
                node = node->right;
            } else {
                best = node;
                node = node->left;
            }
        }
        return element_or_null(best);
    }
    // The last element whose key is not above `key`.
    T* at_or_below(const Key& key) const {
        TreeNode* best = nullptr;
        for (TreeNode* node = root_; node != nullptr;) {
            if (key < KeyOf{}(*element(node))) {
                node = node->left;
            } else {
                best = node;
                node = node->right;
            }
        }
        return element_or_null(best);
    }

  private:
    static T* element_or_null(TreeNode* node) { return node == nullptr ? nullptr : element(node); }
    static T* element(TreeNode* node) { return &container_of(*node, kNode); }
};
