// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.virtio4j.architecture.Findings.expectNone;

import java.io.IOException;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The tables of docs/embedding.md say which artifact is which module, what it exports, and where the types are. */
class EmbeddingTablesTest {

    private static final String ARTIFACT = "virtio4j-";
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");
    private final House house = House.read();
    private final Map<String, Requires> descriptors = new TreeMap<>();

    EmbeddingTablesTest() {
        house.modules().forEach(module -> Requires.of(house.folder(module))
                .ifPresent(read -> descriptors.put(ARTIFACT + module, read)));
    }

    /** Also what comes with them: each module whose packages an embedder may name has a row. */
    @Test
    void shouldSayWhatEachArtifactExports() throws IOException {
        Map<String, String> rows = new HashMap<>();
        for (List<String> row : rows("| you want | artifact |")) {
            Requires read = descriptors.get(code(row.get(1)).getFirst());
            if (read != null) {
                assertEquals(List.of(read.module()), code(row.get(2)), row.toString());
                assertEquals(read.exported(), Set.copyOf(code(row.get(3))), row.toString());
                rows.put(read.module(), row.get(1));
            }
        }
        Set<String> missing = descriptors.values().stream().map(Requires::module)
                .filter(module -> !rows.containsKey(module) && isBelowCommands(module))
                .collect(Collectors.toCollection(TreeSet::new));
        expectNone(missing, "docs/embedding.md has no row for these modules, or names another artifact.");
    }

    @Test
    void shouldSayWhereTypesAre() throws IOException {
        Set<String> exported = new HashSet<>();
        descriptors.values().forEach(read -> exported.addAll(read.exported()));
        Set<String> names = house.types().stream().map(HouseType::name).collect(Collectors.toSet());
        Set<String> wrong = new TreeSet<>();
        for (List<String> row : rows("| package | types of the shorter examples |")) {
            String packageName = code(row.getFirst()).getFirst();
            boolean ours = packageName.startsWith("org.virtio4j");
            if (ours && !exported.contains(packageName)) {
                wrong.add(packageName + " is not exported");
            }
            code(row.get(1)).stream().filter(type -> ours && !names.contains(packageName + "." + type))
                    .forEach(type -> wrong.add(type + " is not in " + packageName));
        }
        expectNone(wrong, "docs/embedding.md says where types are.");
    }

    private boolean isBelowCommands(String module) {
        return HousePlan.VIRTIO4J.modules().stream()
                .filter(folder -> HousePlan.VIRTIO4J.mayUse("command", folder) && !folder.equals("command"))
                .map(folder -> descriptors.get(ARTIFACT + folder))
                .anyMatch(read -> read != null && read.module().equals(module) && !read.exported().isEmpty());
    }

    /** The rows of the table with that heading, without it and the line below. */
    private List<List<String>> rows(String heading) throws IOException {
        List<List<String>> rows = Files.readAllLines(house.root().resolve("docs/embedding.md")).stream()
                .dropWhile(line -> !line.startsWith(heading)).takeWhile(line -> line.startsWith("|")).skip(2)
                .map(line -> List.of(line.substring(1).split("\\|"))).toList();
        assertFalse(rows.isEmpty(), () -> "docs/embedding.md has no table that begins with " + heading);
        return rows;
    }

    private static List<String> code(String cell) {
        return CODE.matcher(cell).results().map(found -> found.group(1)).toList();
    }
}
