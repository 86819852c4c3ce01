// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TopologyTest {

    private static final PciAddress FIRST = PciAddress.of("00:08.0");
    private static final PciAddress SECOND = PciAddress.of("0001:00:01.0");
    private static final MmioBase WINDOW = new MmioBase(0xa000_0000L);

    @Test
    void shouldFindEndpointsOfTwoIommusInTwoSegments() {
        Topology topology = Topology.of(
                IommuScope.at(FIRST).with(PciRange.ofSegment(0, 0)).with(new MmioEndpoint(WINDOW, 0x1_0000)),
                IommuScope.at(SECOND).with(new PciRange(1, 0x100, 0x1ff, 0x4000_0000)));
        assertEquals(Optional.of(new EndpointId(FIRST, 0x48)), topology.endpoint(PciAddress.of("00:09.0")));
        assertEquals(Optional.of(new EndpointId(FIRST, 0xffff)), topology.endpoint(PciAddress.of("ff:1f.7")));
        assertEquals(Optional.of(new EndpointId(FIRST, 0x1_0000)), topology.endpoint(WINDOW));
        assertEquals(Optional.of(new EndpointId(SECOND, 0x4000_00ff)),
                topology.endpoint(PciAddress.of("0001:01:1f.7")));
        assertEquals(Optional.empty(), topology.endpoint(PciAddress.of("0001:02:00.0")));
        assertEquals(Optional.empty(), topology.endpoint(PciAddress.of("0002:00:00.0")));
        assertEquals(Optional.empty(), topology.endpoint(new MmioBase(0xa000_0200L)));
    }

    @Test
    void shouldKeepTheRangeThatCoversTheIommuItself() {
        Topology topology = Topology.of(IommuScope.at(FIRST).with(PciRange.ofSegment(0, 0)));
        assertEquals(List.of(PciRange.ofSegment(0, 0)), topology.scopes().getFirst().ranges());
        assertEquals(Optional.empty(), topology.endpoint(FIRST));
    }

    @Test
    void shouldSplitARangeAroundAnotherIommu() {
        PciAddress other = PciAddress.of("00:00.0");
        PciAddress inside = PciAddress.of("00:10.0");
        Topology topology = Topology.of(IommuScope.at(FIRST).with(new PciRange(0, 0, 0xffff, 0x10)),
                IommuScope.at(other), IommuScope.at(inside).with(PciRange.ofSegment(1, 0)));
        assertEquals(List.of(new PciRange(0, 1, 0x7f, 0x11), new PciRange(0, 0x81, 0xffff, 0x91)),
                topology.scopes().getFirst().ranges());
        assertEquals(Optional.empty(), topology.endpoint(inside));
        assertEquals(Optional.of(new EndpointId(FIRST, 0x91)), topology.endpoint(PciAddress.of("00:10.1")));
    }

    @Test
    void shouldJoinFunctionsInARow() {
        IommuScope scope = IommuScope.of(FIRST, List.of(PciAddress.of("00:0a.1"), PciAddress.of("00:09.0"),
                PciAddress.of("00:0a.0"), PciAddress.of("00:0a.0")));
        assertEquals(List.of(new PciRange(0, 0x48, 0x48, 0x48), new PciRange(0, 0x50, 0x51, 0x50)), scope.ranges());
    }

    @Test
    void shouldNotJoinTheLastFunctionOfASegmentWithTheFirstOfTheNext() {
        IommuScope scope = IommuScope.of(WINDOW, List.of(PciAddress.of("0001:00:00.0"), PciAddress.of("ff:1f.7")));
        assertEquals(List.of(new PciRange(0, 0xffff, 0xffff, 0xffff), new PciRange(1, 0, 0, 0)), scope.ranges());
    }

    @Test
    void shouldRefuseIommuAsItsOwnEndpoint() {
        assertThrows(IllegalArgumentException.class, () -> IommuScope.of(FIRST, List.of(FIRST)));
        assertThrows(IllegalArgumentException.class, () -> IommuScope.at(WINDOW).with(new MmioEndpoint(WINDOW, 0)));
    }

    @ParameterizedTest
    @CsvSource({
            "0, 0x10, 0x1f, 0x100,   0, 0x1f, 0x2f, 0x200",
            "0, 0x10, 0x1f, 0x100,   1, 0x10, 0x1f, 0x10f",
            "0, 0x10, 0x1f, 0xfffffff0, 1, 0x0, 0xf1, 0xffffff0e"})
    void shouldRefuseRangesThatOverlap(int segment, int start, int end, long endpoint, int segment2, int start2,
            int end2, long endpoint2) {
        IommuScope scope = IommuScope.at(FIRST).with(new PciRange(segment, start, end, (int) endpoint));
        PciRange other = new PciRange(segment2, start2, end2, (int) endpoint2);
        assertThrows(IllegalArgumentException.class, () -> scope.with(other));
    }

    @Test
    void shouldRefuseEndpointsWithANumberOrAnAddressThatIsTaken() {
        IommuScope scope = IommuScope.at(FIRST).with(PciRange.ofSegment(0, 0)).with(new MmioEndpoint(WINDOW, 0x1_0000));
        assertThrows(IllegalArgumentException.class, () -> scope.with(new MmioEndpoint(0xb000_0000L, 0x1_0000)));
        assertThrows(IllegalArgumentException.class, () -> scope.with(new MmioEndpoint(0xb000_0000L, 0xffff)));
        assertThrows(IllegalArgumentException.class, () -> scope.with(new MmioEndpoint(WINDOW, 0x2_0000)));
        assertThrows(IllegalArgumentException.class, () -> scope.with(new PciRange(1, 0, 0, 0x1_0000)));
    }

    @Test
    void shouldRefuseADeviceOfTwoIommus() {
        IommuScope first = IommuScope.at(FIRST).with(new PciRange(0, 0x48, 0x50, 0))
                .with(new MmioEndpoint(WINDOW, 0x99));
        assertThrows(IllegalArgumentException.class, () -> Topology.of(first, IommuScope.at(FIRST)));
        assertThrows(IllegalArgumentException.class,
                () -> Topology.of(first, IommuScope.at(SECOND).with(new PciRange(0, 0x50, 0x50, 0))));
        assertThrows(IllegalArgumentException.class,
                () -> Topology.of(first, IommuScope.at(SECOND).with(new MmioEndpoint(WINDOW, 0))));
        assertThrows(IllegalArgumentException.class, () -> Topology.of(first, IommuScope.at(WINDOW)));
        assertEquals(2, Topology.of(first, IommuScope.at(SECOND).with(new PciRange(1, 0x50, 0x50, 0))).scopes().size());
    }

    @ParameterizedTest
    @CsvSource({"-1, 0, 0, 0", "65536, 0, 0, 0", "0, -1, 0, 0", "0, 0, 65536, 0", "0, 2, 1, 0", "0, 0, 1, -1"})
    void shouldRefuseWhatIsNoRange(int segment, int start, int end, int endpoint) {
        assertThrows(IllegalArgumentException.class, () -> new PciRange(segment, start, end, endpoint));
    }

    /** Numbers are unsigned; in a message, -1 would be read as a mistake. */
    @Test
    void shouldPrintNumbersAsTheGuestSeesThem() {
        assertEquals("0001:01:00.0 to 0001:01:1f.7 as endpoints 0xffffff00 to 0xffffffff",
                new PciRange(1, 0x100, 0x1ff, 0xffff_ff00).toString());
        assertEquals("0xa0000000 as endpoint 0xffffffff", new MmioEndpoint(0xa000_0000L, -1).toString());
        assertEquals("endpoint 0xffffffff of the IOMMU at 00:08.0",
                new EndpointId(PciAddress.of("00:08.0"), -1).toString());
    }

    @Test
    void shouldTakeTheLastEndpointOfAll() {
        assertTrue(new PciRange(0, 0, 1, -2).contains(PciAddress.of("00:00.1")));
        assertEquals(-1, new PciRange(0, 0, 1, -2).endpointEnd());
    }
}
