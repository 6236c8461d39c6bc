// A page of somebody else's, in TypeScript. It is checked and never run.
import { followBoard, followMatch, followMatches, type State } from "../../api/static/types/scores.js";

let light: State = "paused";
const match = followMatch("argentina-france", {
  base: "https://scores.example",
  onChange: ({ home_score: home, events_version: version }) => console.log((home ?? 0) + version),
  onState: (state) => (light = state),
});
const board = followBoard({ onChange: (body, difference) => console.log(body.matches.length, difference?.gone) });
const some = followMatches(["a", "b"], { onChange: (one) => console.log(one.match_id), onMissing: console.log });
// @ts-expect-error There is no such state.
light = "asleep";
for (const feed of [match, board, some]) feed.close();
console.log(light, some.matches.get("a")?.home_score);
