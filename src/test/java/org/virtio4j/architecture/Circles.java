// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds circles in a graph, given as what each node uses. */
final class Circles {

    private Circles() {
    }

    /** A shortest circle, beginning and ending with the same node; empty if there is none. */
    static List<String> shortest(Map<String, Set<String>> graph) {
        List<String> shortest = List.of();
        for (String start : graph.keySet()) {
            List<String> circle = through(start, graph);
            if (shortest.isEmpty() || (!circle.isEmpty() && circle.size() < shortest.size())) {
                shortest = circle;
            }
        }
        return shortest;
    }

    /** Breadth first, from a node back to itself. */
    private static List<String> through(String start, Map<String, Set<String>> graph) {
        Map<String, String> cameFrom = new HashMap<>();
        Deque<String> next = new ArrayDeque<>(List.of(start));
        while (!next.isEmpty()) {
            String node = next.remove();
            for (String used : graph.getOrDefault(node, Set.of())) {
                if (used.equals(start)) {
                    return path(start, node, cameFrom);
                }
                if (cameFrom.putIfAbsent(used, node) == null) {
                    next.add(used);
                }
            }
        }
        return List.of();
    }

    private static List<String> path(String start, String last, Map<String, String> cameFrom) {
        List<String> path = new ArrayList<>(List.of(start));
        for (String node = last; !node.equals(start); node = cameFrom.getOrDefault(node, start)) {
            path.add(node);
        }
        path.add(start);
        return path.reversed();
    }
}
