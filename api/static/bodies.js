/**
 * The API's answers, as types for the page's modules. They are erased before anything runs: no module loads this file.
 * What each field means: docs/protocol.md. A test compares the fields with those of the API.
 *
 * @module
 */

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
