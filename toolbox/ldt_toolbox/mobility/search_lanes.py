"""Sums within a cost for many origins: sixteen neighbours searched together.

Neighbouring origins reach nearly the same nodes. Sixteen of them share one bucket queue, and each
node holds their sixteen costs side by side, so that one arc is relaxed for all of them by a few
vector instructions. Each origin's costs are those of its own search to the last bit: a lane takes
the least of the same sums. Sums differ from the scalar search in the order of addition only.

Source: Then et al. 2014, The More the Merrier: Efficient Multi-Source Graph Traversal (searching
together, there for breadth-first search).
"""

import numba
import numpy as np

LANES = 16
FEWEST = 4  # origins that are searched together; fewer are quicker one by one
_LOOKED_AT = 64  # nodes seen around a seed before its group is closed
_UNREACHED = 1e300


@numba.njit(cache=True, nogil=True)
def lane_groups(start, head, wanted):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Order the wanted nodes so that neighbours follow each other; return where groups begin."""
    nodes = len(start) - 1
    order, begins = np.empty(nodes, np.int32), np.empty(nodes + 1, np.int32)
    queue = np.empty(_LOOKED_AT + 1, np.int32)
    seen_by, left = np.full(nodes, -1, np.int32), wanted.copy()
    placed = groups = 0
    for seed in range(nodes):
        if not left[seed]:
            continue
        begins[groups] = placed
        groups += 1
        queue[0], seen_by[seed] = seed, seed
        read, written, got = 0, 1, 0
        while read < written and got < LANES:
            node = queue[read]
            read += 1
            if left[node]:
                left[node] = False
                order[placed] = node
                placed += 1
                got += 1
            for arc in range(start[node], start[node + 1]):
                neighbour = head[arc]
                if seen_by[neighbour] != seed and written < _LOOKED_AT:
                    seen_by[neighbour] = seed
                    queue[written] = neighbour
                    written += 1
    begins[groups] = placed
    return order[:placed].copy(), begins[: groups + 1].copy()


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz"})
def lane_sums(start, head, cost, order, begins, ends, limit, per_cost, buckets, values, decay, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Add up what each group of origins reaches; ``fastmath`` promises no NaN, nothing else."""
    nodes = len(start) - 1
    least = np.full(nodes * LANES, _UNREACHED)
    first = np.full(buckets, -1, np.int32)
    after, before = np.empty(nodes, np.int32), np.empty(nodes, np.int32)
    place = np.full(nodes, -1, np.int32)
    seen, is_seen = np.empty(nodes, np.int32), np.zeros(nodes, np.bool_)
    so_far, weight = np.empty(LANES), np.empty(LANES)
    total = np.empty((values.shape[1], LANES))
    for group in range(len(begins)):
        low, high = begins[group], ends[group]
        found = 0
        for lane in range(high - low):
            origin = order[low + lane]
            least[np.int64(origin) * LANES + lane] = 0.0
            seen[found] = origin
            found += 1
            is_seen[origin] = True
            follower = first[0]
            after[origin], before[origin], place[origin] = follower, -1, 0
            if follower >= 0:
                before[follower] = origin
            first[0] = origin
        for bucket in range(buckets):
            while first[bucket] >= 0:
                u = first[bucket]
                follower = after[u]
                first[bucket] = follower
                if follower >= 0:
                    before[follower] = -1
                place[u] = -1
                base = np.int64(u) * LANES
                for lane in range(LANES):
                    so_far[lane] = least[base + lane]
                for arc in range(start[u], start[u + 1]):
                    v, step = head[arc], cost[arc]
                    base = np.int64(v) * LANES
                    best = _UNREACHED
                    for lane in range(LANES):
                        new, old = so_far[lane] + step, least[base + lane]
                        better = (new < old) & (new <= limit)
                        least[base + lane] = new if better else old
                        gain = new if better else _UNREACHED
                        best = gain if gain < best else best
                    if best > limit:
                        continue
                    if not is_seen[v]:
                        is_seen[v] = True
                        seen[found] = v
                        found += 1
                    goal, now = int(best * per_cost), place[v]
                    if now >= 0 and now <= goal:
                        continue
                    if now >= 0:
                        previous, follower = before[v], after[v]
                        if previous >= 0:
                            after[previous] = follower
                        else:
                            first[now] = follower
                        if follower >= 0:
                            before[follower] = previous
                    follower = first[goal]
                    after[v], before[v], place[v] = follower, -1, goal
                    if follower >= 0:
                        before[follower] = v
                    first[goal] = v
        total[:] = 0.0
        for i in range(found):
            node = seen[i]
            base = np.int64(node) * LANES
            is_seen[node] = False
            for lane in range(LANES):
                weight[lane] = 1.0 if least[base + lane] <= limit else 0.0
            if decay > 0:
                for lane in range(LANES):
                    if weight[lane] > 0:
                        weight[lane] = np.exp(-decay * least[base + lane])
            for lane in range(LANES):
                least[base + lane] = _UNREACHED
            for column in range(values.shape[1]):
                value = values[node, column]
                for lane in range(LANES):
                    total[column, lane] += weight[lane] * value
        for lane in range(high - low):
            for column in range(values.shape[1]):
                out[order[low + lane], column] = total[column, lane]
