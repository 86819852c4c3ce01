// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** ARCHITECTURE.md shows the modules as they are. {@code -Dvirtio4j.architecture=write} replaces the picture. */
class HousePictureTest {

    private static final boolean WRITE = "write".equals(System.getProperty("virtio4j.architecture"));
    private static final String DOCUMENT = "ARCHITECTURE.md";

    @Test
    void shouldShowTheModuleGraph() throws IOException {
        House house = House.read();
        Path file = house.root().resolve(DOCUMENT);
        String document = Files.readString(file);
        String picture = HousePicture.draw(HousePlan.VIRTIO4J, house.moduleGraph());
        if (WRITE) {
            Files.writeString(file, HousePicture.putInto(document, picture));
        }
        assertEquals(picture, HousePicture.shownIn(Files.readString(file)), """
                The picture in ARCHITECTURE.md is not the module graph. This command draws it again:
                ./virtio4j mvn -q -pl conformance -am test -Dtest=HousePictureTest \
                -Dsurefire.failIfNoSpecifiedTests=false -Dvirtio4j.architecture=write
                """);
    }

    @Test
    void shouldLeaveOutArrowsThatOthersLeadTo() {
        HousePlan plan = new HousePlan("0 base: a\n1 middle: b\n2 top: c\n", "");
        assertEquals("""
                ```mermaid
                flowchart TB
                    subgraph floor2["2: top"]
                        c
                    end
                    subgraph floor1["1: middle"]
                        b
                    end
                    subgraph floor0["0: base"]
                        a
                    end
                    c --> b
                    b --> a
                ```
                """, HousePicture.draw(plan, Map.of("c", Set.of("a", "b"), "b", Set.of("a"))));
    }

    @Test
    void shouldReplaceThePictureAlone() {
        String document = """
                Above.
                <!-- picture: begin, written by HousePictureTest -->
                old
                <!-- picture: end -->
                Below.
                """;
        String after = HousePicture.putInto(document, "new\n");
        assertEquals(document.replace("old", "new"), after);
        assertEquals("new\n", HousePicture.shownIn(after));
        assertEquals("", HousePicture.shownIn("No picture."));
    }
}
