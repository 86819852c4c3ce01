// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Draws the modules as a Mermaid flow chart: a box for each floor, an arrow to each module that one needs itself. */
final class HousePicture {

    private static final String BEGIN = "<!-- picture: begin, written by HousePictureTest -->";
    private static final String END = "<!-- picture: end -->";
    private static final Pattern PLACE = Pattern.compile(BEGIN + "\n(.*?)" + END, Pattern.DOTALL);

    private HousePicture() {
    }

    /** What a document shows now; empty if it has no place for a picture. */
    static String shownIn(String document) {
        Matcher place = PLACE.matcher(document);
        return place.find() ? place.group(1) : "";
    }

    static String putInto(String document, String picture) {
        return PLACE.matcher(document).replaceFirst(Matcher.quoteReplacement(BEGIN + "\n" + picture + END));
    }

    /**
     * The picture, as Markdown. An arrow is left out where the others already lead there.
     *
     * @param graph for each module the modules that it requires
     */
    static String draw(HousePlan plan, Map<String, Set<String>> graph) {
        StringBuilder text = new StringBuilder("```mermaid\nflowchart TB\n");
        for (int floor = plan.floors().size() - 1; floor >= 0; floor--) {
            text.append("    subgraph floor").append(floor)
                    .append("[\"").append(floor).append(": ").append(plan.floors().get(floor)).append("\"]\n");
            plan.modulesOf(floor).forEach(module -> text.append("        ").append(module).append('\n'));
            text.append("    end\n");
        }
        List<String> fromTheTop = plan.modules().reversed();
        for (String module : fromTheTop) {
            needed(module, graph).forEach(
                    used -> text.append("    ").append(module).append(" --> ").append(used).append('\n'));
        }
        return text.append("```\n").toString();
    }

    private static Set<String> needed(String module, Map<String, Set<String>> graph) {
        Set<String> direct = new TreeSet<>(graph.getOrDefault(module, Set.of()));
        Set<String> indirect = new HashSet<>();
        direct.forEach(used -> collect(used, graph, indirect));
        direct.removeAll(indirect);
        return direct;
    }

    /** Adds all that a module leads to; the graph has no circle, which another test holds. */
    private static void collect(String module, Map<String, Set<String>> graph, Set<String> into) {
        for (String used : graph.getOrDefault(module, Set.of())) {
            if (into.add(used)) {
                collect(used, graph, into);
            }
        }
    }
}
