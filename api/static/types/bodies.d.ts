/**
 * The API's answers, as types for the page's modules. They are erased before anything runs: no module loads this file.
 * What each field means: docs/protocol.md. A test compares the fields with those of the API.
 *
 * @module
 */
export type Side = "home" | "away";
export type Phase = "scheduled" | "live" | "break" | "finished" | "off";
export type Held = "changed" | "timeout" | "behind" | "ahead" | "full" | "draining";
export type Named = {
    id: string;
    name: string;
};
export type MaybeNamed = {
    id: string | null;
    name: string | null;
};
export type Shootout = {
    home: number;
    away: number;
};
export type ScorelineEntryBody = {
    team: Side | null;
    player: string | null;
    minute: number | null;
    added_minute: number | null;
    event_type: string;
};
export type Summary = {
    match_id: string;
    version: number;
    status: string;
    phase: Phase;
    decided_by: string | null;
    sport: string;
    home_team: MaybeNamed;
    away_team: MaybeNamed;
    home_score: number | null;
    away_score: number | null;
    shootout: Shootout | null;
    scorers: ScorelineEntryBody[] | null;
    cards: ScorelineEntryBody[] | null;
    minute: number | null;
    added_minute: number | null;
    period: number | null;
    clock: string | null;
    minute_at: string | null;
    competition: Named | null;
    start_time: string | null;
    updated_at: string;
};
export type MatchScore = Summary & {
    events_version: number;
    spread_ms: number;
    next: string;
    poll_after_ms: number;
    held?: Held;
};
export type LiveBoard = {
    version: number;
    matches: Summary[];
    next: string | null;
    changes: string | null;
    poll_after_ms: number;
};
export type MatchList = {
    matches: Summary[];
    next: string | null;
};
export type Metadata = {
    match_id: string;
    version: number;
    status: string;
    phase: Phase;
    sport: string;
    home_team: MaybeNamed;
    away_team: MaybeNamed;
    competition: Named | null;
    venue: string | null;
    start_time: string | null;
    coverage: string | null;
    replaced_by: string | null;
    stage: string | null;
    round: string | null;
    leg: number | null;
    updated_at: string;
};
export type TimelinePerson = {
    id: string | null;
    name: string;
};
export type TimelineEvent = {
    id: string;
    event_type: string;
    team: Side | null;
    minute: number | null;
    added_minute: number | null;
    period: number | null;
    player: TimelinePerson | null;
    assist: TimelinePerson | null;
    detail: string | null;
    home_score: number | null;
    away_score: number | null;
    voided: boolean;
    voids: string | null;
    created_at: string;
};
export type LineupPlayerBody = {
    id: string | null;
    name: string;
    number: number | null;
    position: string | null;
    place: number | null;
    starter: boolean;
    captain: boolean;
};
export type TeamLineupBody = {
    formation: string | null;
    coach: TimelinePerson | null;
    players: LineupPlayerBody[];
};
export type LineupsBody = {
    match_id: string;
    version: number;
    confirmed: boolean;
    home: TeamLineupBody | null;
    away: TeamLineupBody | null;
};
export type StatsBody = {
    match_id: string;
    version: number;
    home: Record<string, number>;
    away: Record<string, number>;
};
export type MatchOutcome = "won" | "drawn" | "lost";
export type BalanceBody = {
    played: number;
    won: number;
    drawn: number;
    lost: number;
    goals_for: number;
    goals_against: number;
    goal_difference: number;
    points: number;
};
export type TableRowBody = {
    played: number;
    won: number;
    drawn: number;
    lost: number;
    goals_for: number;
    goals_against: number;
    goal_difference: number;
    points: number;
    position: number;
    team: Named;
    deducted: number;
    form: MatchOutcome[];
    live: string | null;
    home: BalanceBody & {
        position: number;
    };
    away: BalanceBody & {
        position: number;
    };
};
export type StandingsBody = {
    stage: string | null;
    group: string | null;
    provisional: boolean;
    rows: TableRowBody[];
};
export type LegBody = Summary & {
    leg: number | null;
};
export type TieBody = {
    teams: Named[];
    aggregate: number[] | null;
    winner: string | null;
    decided_by: string | null;
    matches: LegBody[];
};
export type KnockoutRoundBody = {
    round: string;
    ties: TieBody[];
};
export type CompetitionTable = {
    competition: Named;
    season: string;
    version: number;
    provisional: boolean;
    groups: StandingsBody[];
    rounds: KnockoutRoundBody[];
};
export type ScorerBody = {
    position: number;
    player: TimelinePerson;
    team: Named;
    goals: number;
    penalties: number;
    assists: number;
};
export type TopScorers = {
    competition: Named;
    season: string;
    version: number;
    provisional: boolean;
    scorers: ScorerBody[];
};
export type FormEntry = {
    match_id: string;
    outcome: MatchOutcome;
};
export type TeamPage = {
    team: Named;
    version: number;
    form: FormEntry[];
    live: Summary[];
    results: Summary[];
    fixtures: Summary[];
};
export type HeadToHead = {
    match_id: string;
    version: number;
    home_team: MaybeNamed;
    away_team: MaybeNamed;
    home_wins: number;
    away_wins: number;
    draws: number;
    matches: Summary[];
    tie: TieBody | null;
};
export type Timeline = {
    match_id: string;
    version: number;
    events: TimelineEvent[];
};
export type SearchResult = {
    teams: Named[];
    competitions: Named[];
    matches: Summary[];
};
/** @typedef {"home" | "away"} Side */
/** @typedef {"scheduled" | "live" | "break" | "finished" | "off"} Phase */
/** @typedef {"changed" | "timeout" | "behind" | "ahead" | "full" | "draining"} Held why a wait ended */
/**
 * A competition, or a team in search results.
 *
 * @typedef {object} Named
 * @property {string} id
 * @property {string} name
 */
/**
 * A team of a match; both fields are null until the team is known.
 *
 * @typedef {object} MaybeNamed
 * @property {string | null} id
 * @property {string | null} name
 */
/**
 * @typedef {object} Shootout
 * @property {number} home
 * @property {number} away
 */
/**
 * A goal that counts, or a red card that stands.
 *
 * @typedef {object} ScorelineEntryBody
 * @property {Side | null} team
 * @property {string | null} player
 * @property {number | null} minute
 * @property {number | null} added_minute
 * @property {string} event_type
 */
/**
 * A match, as in every list.
 *
 * @typedef {object} Summary
 * @property {string} match_id
 * @property {number} version
 * @property {string} status
 * @property {Phase} phase
 * @property {string | null} decided_by
 * @property {string} sport
 * @property {MaybeNamed} home_team
 * @property {MaybeNamed} away_team
 * @property {number | null} home_score
 * @property {number | null} away_score
 * @property {Shootout | null} shootout
 * @property {ScorelineEntryBody[] | null} scorers
 * @property {ScorelineEntryBody[] | null} cards
 * @property {number | null} minute
 * @property {number | null} added_minute
 * @property {number | null} period
 * @property {string | null} clock
 * @property {string | null} minute_at
 * @property {Named | null} competition
 * @property {string | null} start_time
 * @property {string} updated_at
 */
/** @typedef {Summary & {events_version: number, spread_ms: number, next: string, poll_after_ms: number, held?: Held}} MatchScore */
/**
 * @typedef {object} LiveBoard
 * @property {number} version
 * @property {Summary[]} matches
 * @property {string | null} next
 * @property {string | null} changes
 * @property {number} poll_after_ms
 */
/**
 * @typedef {object} MatchList
 * @property {Summary[]} matches
 * @property {string | null} next
 */
/**
 * @typedef {object} Metadata
 * @property {string} match_id
 * @property {number} version
 * @property {string} status
 * @property {Phase} phase
 * @property {string} sport
 * @property {MaybeNamed} home_team
 * @property {MaybeNamed} away_team
 * @property {Named | null} competition
 * @property {string | null} venue
 * @property {string | null} start_time
 * @property {string | null} coverage
 * @property {string | null} replaced_by
 * @property {string | null} stage
 * @property {string | null} round
 * @property {number | null} leg
 * @property {string} updated_at
 */
/**
 * @typedef {object} TimelinePerson
 * @property {string | null} id
 * @property {string} name
 */
/**
 * An entry of a timeline.
 *
 * @typedef {object} TimelineEvent
 * @property {string} id
 * @property {string} event_type
 * @property {Side | null} team
 * @property {number | null} minute
 * @property {number | null} added_minute
 * @property {number | null} period
 * @property {TimelinePerson | null} player
 * @property {TimelinePerson | null} assist
 * @property {string | null} detail
 * @property {number | null} home_score
 * @property {number | null} away_score
 * @property {boolean} voided
 * @property {string | null} voids
 * @property {string} created_at
 */
/**
 * @typedef {object} LineupPlayerBody
 * @property {string | null} id
 * @property {string} name
 * @property {number | null} number
 * @property {string | null} position
 * @property {number | null} place
 * @property {boolean} starter
 * @property {boolean} captain
 */
/**
 * @typedef {object} TeamLineupBody
 * @property {string | null} formation
 * @property {TimelinePerson | null} coach
 * @property {LineupPlayerBody[]} players
 */
/**
 * @typedef {object} LineupsBody
 * @property {string} match_id
 * @property {number} version
 * @property {boolean} confirmed
 * @property {TeamLineupBody | null} home
 * @property {TeamLineupBody | null} away
 */
/**
 * @typedef {object} StatsBody
 * @property {string} match_id
 * @property {number} version
 * @property {Record<string, number>} home
 * @property {Record<string, number>} away
 */
/** @typedef {"won" | "drawn" | "lost"} MatchOutcome */
/**
 * Of all matches of a side, or of those at home or away.
 *
 * @typedef {object} BalanceBody
 * @property {number} played
 * @property {number} won
 * @property {number} drawn
 * @property {number} lost
 * @property {number} goals_for
 * @property {number} goals_against
 * @property {number} goal_difference
 * @property {number} points
 */
/**
 * @typedef {object} TableRowBody
 * @property {number} played
 * @property {number} won
 * @property {number} drawn
 * @property {number} lost
 * @property {number} goals_for
 * @property {number} goals_against
 * @property {number} goal_difference
 * @property {number} points
 * @property {number} position
 * @property {Named} team
 * @property {number} deducted
 * @property {MatchOutcome[]} form
 * @property {string | null} live
 * @property {BalanceBody & {position: number}} home
 * @property {BalanceBody & {position: number}} away
 */
/**
 * @typedef {object} StandingsBody
 * @property {string | null} stage
 * @property {string | null} group
 * @property {boolean} provisional
 * @property {TableRowBody[]} rows
 */
/** @typedef {Summary & {leg: number | null}} LegBody */
/**
 * @typedef {object} TieBody
 * @property {Named[]} teams
 * @property {number[] | null} aggregate
 * @property {string | null} winner
 * @property {string | null} decided_by
 * @property {LegBody[]} matches
 */
/**
 * @typedef {object} KnockoutRoundBody
 * @property {string} round
 * @property {TieBody[]} ties
 */
/**
 * @typedef {object} CompetitionTable
 * @property {Named} competition
 * @property {string} season
 * @property {number} version
 * @property {boolean} provisional
 * @property {StandingsBody[]} groups
 * @property {KnockoutRoundBody[]} rounds
 */
/**
 * @typedef {object} ScorerBody
 * @property {number} position
 * @property {TimelinePerson} player
 * @property {Named} team
 * @property {number} goals
 * @property {number} penalties
 * @property {number} assists
 */
/**
 * @typedef {object} TopScorers
 * @property {Named} competition
 * @property {string} season
 * @property {number} version
 * @property {boolean} provisional
 * @property {ScorerBody[]} scorers
 */
/**
 * @typedef {object} FormEntry
 * @property {string} match_id
 * @property {MatchOutcome} outcome
 */
/**
 * @typedef {object} TeamPage
 * @property {Named} team
 * @property {number} version
 * @property {FormEntry[]} form
 * @property {Summary[]} live
 * @property {Summary[]} results
 * @property {Summary[]} fixtures
 */
/**
 * @typedef {object} HeadToHead
 * @property {string} match_id
 * @property {number} version
 * @property {MaybeNamed} home_team
 * @property {MaybeNamed} away_team
 * @property {number} home_wins
 * @property {number} away_wins
 * @property {number} draws
 * @property {Summary[]} matches
 * @property {TieBody | null} tie
 */
/**
 * @typedef {object} Timeline
 * @property {string} match_id
 * @property {number} version
 * @property {TimelineEvent[]} events
 */
/**
 * @typedef {object} SearchResult
 * @property {Named[]} teams
 * @property {Named[]} competitions
 * @property {Summary[]} matches
 */
export {};
