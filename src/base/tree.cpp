// The shape of the treap: linking, rotations, unlinking, neighbours.
#include "base/tree.h"

TreeNode*& TreeBase::place_of(TreeNode& node) {
    if (node.parent == nullptr) return root_;
    return node.parent->left == &node ? node.parent->left : node.parent->right;
}

// Exchanges `node` with its parent, keeping the order of keys:
//       parent            node
//       /    \            /   \.
//     node    c    →     a   parent      (and the mirror image)
//     /  \                    /   \.
//    a    b                  b     c
void TreeBase::rotate_up(TreeNode& node) {
    TreeNode& parent = *node.parent;
    place_of(parent) = &node;
    node.parent = parent.parent;
    TreeNode*& inner = parent.left == &node ? node.right : node.left;
    TreeNode*& freed = parent.left == &node ? parent.left : parent.right;
    freed = inner;
    if (inner != nullptr) inner->parent = &parent;
    inner = &parent;
    parent.parent = &node;
}

void TreeBase::link(TreeNode& node, TreeNode* parent, TreeNode** place) {
    debug_check(!node.linked, "inserted a node that is in a tree");
    seed_ = seed_ * 1'664'525 + increment_;
    node = {.parent = parent, .left = nullptr, .right = nullptr, .priority = seed_, .linked = true};
    *place = &node;
    while (node.parent != nullptr && node.parent->priority < node.priority) rotate_up(node);
}

void TreeBase::unlink(TreeNode& node) {
    debug_check(node.linked, "removed a node that is in no tree");
    while (node.left != nullptr && node.right != nullptr) {
        rotate_up(node.left->priority > node.right->priority ? *node.left : *node.right);
    }
    TreeNode* child = node.left != nullptr ? node.left : node.right;
    place_of(node) = child;
    if (child != nullptr) child->parent = node.parent;
    node = {};
}

TreeNode* TreeBase::next(TreeNode& node) {
    if (node.right != nullptr) {
        TreeNode* below = node.right;
        while (below->left != nullptr) below = below->left;
        return below;
    }
    TreeNode* child = &node;
    while (child->parent != nullptr && child->parent->right == child) child = child->parent;
    return child->parent;
}

TreeNode* TreeBase::previous(TreeNode& node) {
    if (node.left != nullptr) {
        TreeNode* below = node.left;
        while (below->right != nullptr) below = below->right;
        return below;
    }
    TreeNode* child = &node;
    while (child->parent != nullptr && child->parent->left == child) child = child->parent;
    return child->parent;
}
