// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class CirclesTest {

    @Test
    void shouldFindNoneWhereAllArrowsGoDown() {
        assertEquals(List.of(), Circles.shortest(Map.of(
                "top", Set.of("left", "right"), "left", Set.of("bottom"), "right", Set.of("bottom"))));
    }

    @Test
    void shouldFindTheShortest() {
        Map<String, Set<String>> graph = new TreeMap<>(Map.of(
                "a", Set.of("b"), "b", Set.of("c"), "c", Set.of("a", "d"), "d", Set.of("c", "e"), "e", Set.of("a")));
        assertEquals(List.of("c", "d", "c"), Circles.shortest(graph));
    }

    @Test
    void shouldFindTwoThatUseEachOther() {
        Map<String, Set<String>> graph = new TreeMap<>(Map.of("a", Set.of("b"), "b", Set.of("a")));
        assertEquals(List.of("a", "b", "a"), Circles.shortest(graph));
    }
}
