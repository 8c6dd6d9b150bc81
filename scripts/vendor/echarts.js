// The charts the pages draw, and no more of ECharts than they need.
import { BarChart, GaugeChart, LineChart } from "echarts/charts";
import {
  AriaComponent,
  AxisPointerComponent,
  DataZoomComponent,
  DataZoomInsideComponent,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
} from "echarts/components";
import { connect, disconnect, init, registerLocale, use } from "echarts/core";
import zh from "echarts/lib/i18n/langZH.js";
import { CanvasRenderer } from "echarts/renderers";

use([
  AriaComponent,
  AxisPointerComponent,
  BarChart,
  CanvasRenderer,
  DataZoomComponent,
  DataZoomInsideComponent,
  GaugeChart,
  GridComponent,
  LegendComponent,
  LineChart,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
]);
registerLocale("ZH", zh);

export { connect, disconnect, init };
