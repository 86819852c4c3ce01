// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringReader;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.xml.sax.InputSource;

class PeerChartTest {

    @Test
    void shouldReachToThePowerOfTenAboveTheLargestTime() {
        assertEquals(3, PeerChart.decades(List.of(time("lookup", 1000))));
        assertEquals(4, PeerChart.decades(List.of(time("lookup", 1001))));
        assertEquals(1, PeerChart.decades(List.of(time("lookup", 0.5))));
        assertEquals(1, PeerChart.decades(List.of()));
    }

    @Test
    void shouldNotMakeRoomForWhatIsNoTime() {
        PeerRow bytes = new PeerRow("memory", "1 M", PeerRow.BYTES, figures(1e9));
        assertEquals(2, PeerChart.decades(List.of(time("lookup", 50), bytes)));
    }

    @Test
    void shouldMakeBarsAsHighAsTheirLogarithm() {
        assertEquals(1, PeerChart.height(1000, 3), 1e-9);
        assertEquals(1.0 / 3, PeerChart.height(10, 3), 1e-9);
        assertEquals(0, PeerChart.height(1, 3), 1e-9);
        assertEquals(0, PeerChart.height(0.2, 3), 1e-9);
    }

    @Test
    void shouldBeginAnotherPanelForAnotherKindOfWorkAndWhenOneIsFull() {
        List<PeerRow> rows = new ArrayList<>(Collections.nCopies(7, time("replay", 50)));
        rows.add(time("lookup", 20));
        assertEquals(List.of(5, 2, 1), PeerChart.panels(rows).stream().map(List::size).toList());
    }

    @Test
    void shouldEscapeWhatXmlWouldMisread() {
        assertEquals("a &amp; b &lt; c &gt; &quot;d&quot;", PeerChart.escaped("a & b < c > \"d\""));
    }

    @Test
    void shouldBeXmlWhateverATraceIsCalled() throws Exception {
        String svg = PeerChart.svg(List.of(time("<lookup> & more", 50), time("lookup", 20)));
        var document = DocumentBuilderFactory.newInstance().newDocumentBuilder()
                .parse(new InputSource(new StringReader(svg)));
        assertEquals("svg", document.getDocumentElement().getTagName());
        assertTrue(svg.contains("&lt;lookup&gt; &amp; more"), svg);
    }

    @Test
    void shouldDrawNothingButTheLegendWhenNothingWasMeasured() {
        assertFalse(PeerChart.svg(List.of()).contains("#dddddd"));
    }

    private static PeerRow time(String name, double nanos) {
        return new PeerRow(name, "1 k & more", PeerRow.NANOS, figures(nanos));
    }

    private static Map<PeerColumn, MedianAndRange> figures(double median) {
        return Map.of(PeerColumn.VIRTIO4J, new MedianAndRange(median, median, median));
    }
}
