// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.architecture.Findings.expectNone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Packages and the command stay small enough to be read. Checkstyle does the same for files and methods. */
class SizeTest {

    private static final int MOST_TYPES = 20;
    private static final String REASON = "More than " + MOST_TYPES + " types, because";
    private static final String COMMAND = "launcher";
    private static final int MOST_LINES_OF_COMMAND = 3_000;
    private final House house = House.read();

    @Test
    void shouldHaveNoPackageOfMoreTypesWithoutAReason() throws IOException {
        Set<String> tooFull = new TreeSet<>();
        for (String module : house.modules()) {
            Map<String, Long> packages = house.mainTypes(module).stream()
                    .collect(Collectors.groupingBy(HouseType::packageName, Collectors.counting()));
            for (Map.Entry<String, Long> types : packages.entrySet()) {
                if (types.getValue() > MOST_TYPES && !saysWhy(module, types.getKey())) {
                    tooFull.add(types.getKey() + " has " + types.getValue() + " types");
                }
            }
        }
        expectNone(tooFull, "Split these packages, or give a reason in their package-info.java that begins"
                + " with \"" + REASON + "\".");
    }

    @Test
    void shouldKeepTheCommandSmall() throws IOException {
        long lines = 0;
        for (Path file : House.javaFiles(house.folder(COMMAND).resolve("src/main/java"))) {
            lines += Files.readAllLines(file).size();
        }
        long counted = lines;
        assertTrue(lines <= MOST_LINES_OF_COMMAND, () -> COMMAND + " has " + counted + " lines of main code, more than "
                + MOST_LINES_OF_COMMAND + ". Move what is no command into a library of floor 5.");
    }

    private boolean saysWhy(String module, String packageName) throws IOException {
        Path page = house.folder(module).resolve("src/main/java").resolve(packageName.replace('.', '/'))
                .resolve("package-info.java");
        return Files.exists(page) && Files.readString(page).replaceAll("\\s+(\\* )?", " ").contains(REASON);
    }
}
